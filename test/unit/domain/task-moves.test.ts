import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isRefused, type Refused } from '#shared/domain/domain-error.ts'
import { maxAttemptsOf, type Task } from '#shared/domain/tasks/task.ts'
import {
  cancelTask,
  completeTask,
  failTask,
  isOfOldGeneration,
  leaseTask,
  loseLease,
  releaseLease,
  reportTask,
  requireFence,
} from '#shared/domain/tasks/task-moves.ts'
import { passTime, resendChance } from '#shared/domain/tasks/task-time.ts'
import { aTask } from '#test/support/builders.ts'

const ok = (moved: Task | Refused): Task => {
  if (isRefused(moved)) throw new Error(moved.message)
  return moved
}
const a = { instance: 'ins_a', generation: 7 }
const leased = (task = aTask(), now = 1000): Task => ok(leaseTask(task, { instance: 'ins_a', generation: 7, now }))
const failure = { code: 'AGENT_ERROR', message: 'boom', retryable: true }
const fail = (task: Task, now = 2000, random = 0.5) => failTask(task, { failure, digest: 'd', now, random })

describe('leasing', () => {
  it('gives a new fence made of generation and epoch, and counts the attempt', () => {
    const task = leased()
    expect(task).toMatchObject({ status: 'RUNNING', epoch: 1, attempt: 1, startedAt: 1000, seq: 2 })
    expect(task.lease).toEqual({ instance: 'ins_a', fence: '7.1', since: 1000, timeoutAt: 61_000 })
  })

  it('leaves the time of the next look where it is, unless the attempt has to be looked at sooner', () => {
    expect(leased().dueAt).toBe(aTask().dueAt)
    expect(leased(aTask({ timeoutSeconds: 1 })).dueAt).toBe(2000)
    expect(leased(aTask({ dueAt: 900_000 })).dueAt).toBe(61_000)
  })

  it('refuses a task that is running, over, or past its deadline', () => {
    expect(isRefused(leaseTask(leased(), { instance: 'ins_b', generation: 7, now: 1 }))).toBe(true)
    expect(isRefused(leaseTask(aTask({ deadline: 5 }), { instance: 'ins_b', generation: 7, now: 5 }))).toBe(true)
  })
})

describe('the fence', () => {
  it('admits the current holder alone', () => {
    const task = leased()
    expect(isRefused(requireFence(task, '7.1', a))).toBe(false)
    expect(requireFence(task, '7.0', a)).toMatchObject({ refused: 'STALE_FENCE' })
    expect(requireFence(task, '7.1', { ...a, instance: 'ins_b' })).toMatchObject({ refused: 'STALE_FENCE' })
    expect(requireFence(aTask(), '7.1', a)).toMatchObject({ refused: 'STALE_FENCE' })
  })

  it('counts no more once the records were restored, whatever they say; an administrator may speak for a holder', () => {
    const task = leased()
    expect(isRefused(requireFence(task, '7.1', { generation: 7 }))).toBe(false)
    expect(requireFence(task, '7.1', { ...a, generation: 8 })).toMatchObject({ refused: 'STALE_FENCE' })
    expect(requireFence(task, '7.1', { generation: 8 })).toMatchObject({ refused: 'STALE_FENCE' })
    expect(requireFence(task, '7.1', { ...a, generation: 6 })).toMatchObject({ refused: 'STALE_FENCE' })
    expect([6, 7, 8].map((generation) => isOfOldGeneration(task, generation))).toEqual([false, false, true])
    expect(isOfOldGeneration(aTask(), 8)).toBe(false)
  })

  it('is never the same again after a lost lease', () => {
    const again = leased(loseLease(leased(), { now: 2000, message: 'gone' }), 3000)
    expect(again.lease?.fence).toBe('7.2')
    expect(requireFence(again, '7.1', { generation: 7 })).toMatchObject({ refused: 'STALE_FENCE' })
  })
})

describe('failing', () => {
  it('schedules another attempt within the back-off bound while attempts are left', () => {
    const task = fail(leased())
    expect(task).toMatchObject({ status: 'SCHEDULED', failures: 1, dueAt: 2500 })
    expect(task.answer).toMatchObject({ fence: '7.1', willRetry: true, nextAttemptAt: 2500 })
    expect(task.lease).toBeUndefined()
  })

  it('ends the task with the code when attempts are used up', () => {
    const task = fail(leased(aTask({ failures: 2 })))
    expect(task).toMatchObject({ status: 'FAILED', failures: 3, failure, finishedAt: 2000 })
    expect(task.dueAt).toBeUndefined()
  })

  it('ends the task at once when the agent says a retry is useless, unless the policy names the code', () => {
    const useless = { ...failure, retryable: false }
    const move = (task: Task) => failTask(task, { failure: useless, digest: 'd', now: 2, random: 0 })
    expect(move(leased()).status).toBe('FAILED')
    const named = aTask({ retry: { ...aTask().retry, retryableCodes: ['AGENT_ERROR'] } })
    expect(move(leased(named)).status).toBe('SCHEDULED')
  })

  it('ends as poison when every attempt took its process with it, and with its own code otherwise', () => {
    const crash = { code: 'CRASH', message: 'killed by SIGSEGV', retryable: true }
    const move = (task: Task, cause = crash) =>
      failTask(leased(task), { failure: cause, digest: 'd', now: 2, random: 0 })
    const again = (task: Task): Task => ({ ...task, status: 'QUEUED' })
    let task = aTask()
    for (let n = 0; n < 3; n++) task = move(again(task))
    expect(task).toMatchObject({
      status: 'FAILED',
      crashes: 3,
      failures: 3,
      failure: { code: 'POISON', retryable: false },
    })
    expect(task.transition.reason).toBe('POISON')
    const mixed = move(again(move(again(move(aTask(), failure)))))
    expect(mixed).toMatchObject({ status: 'FAILED', crashes: 2, failure: { code: 'CRASH' } })
    const once = aTask({ retry: { ...aTask().retry, attempts: 1 } })
    expect(move(once)).toMatchObject({ status: 'FAILED', failure: { code: 'CRASH' } })
  })

  it('does not schedule past the deadline', () => {
    expect(fail(leased(aTask({ deadline: 2400 }))).status).toBe('FAILED')
  })
})

describe('losing and returning leases', () => {
  it('counts apart from failures, and ends as poison with the fifth', () => {
    let task = aTask()
    for (let round = 0; round < 4; round++) task = loseLease(leased(task), { now: 2000, message: 'gone' })
    expect(task).toMatchObject({ status: 'QUEUED', failures: 0, leaseLosses: 4, attempt: 4 })
    expect(maxAttemptsOf(task)).toBe(3 + 4)
    const last = loseLease(leased(task), { now: 3000, message: 'gone' })
    expect(last).toMatchObject({ status: 'FAILED', failure: { code: 'POISON' }, leaseLosses: 5, attempt: 5 })
  })

  it('a returned lease costs nothing', () => {
    const task = releaseLease(leased(), { now: 2000, message: 'left' })
    expect(task).toMatchObject({ status: 'QUEUED', failures: 0, leaseLosses: 0, transition: { reason: 'RELEASED' } })
  })
})

describe('the end', () => {
  const result = { in: 'head', value: 42 } as const

  it('is recorded with the fence that reported it', () => {
    const task = completeTask(leased(), { result, digest: 'd', now: 3000, usage: { tokens: 5 } })
    expect(task).toMatchObject({
      status: 'SUCCEEDED',
      result,
      answer: { fence: '7.1', digest: 'd' },
      usage: { tokens: 5 },
    })
    expect(task.lease).toBeUndefined()
  })

  it('cannot be left again', () => {
    const done = completeTask(leased(), { result, digest: 'd', now: 3000 })
    expect(cancelTask(done, { now: 4000, by: 'x' })).toMatchObject({ refused: 'ALREADY_FINISHED' })
    expect(() => loseLease(done, { now: 4000, message: '' })).toThrow('cannot become')
    expect(passTime(done, { now: 9e9, random: 0 })).toBe(done)
  })

  it('cancelling twice changes nothing more', () => {
    const once = ok(cancelTask(aTask(), { now: 10, by: 'key:a' }))
    expect(once).toMatchObject({ status: 'CANCELLED', finishedAt: 10 })
    expect(cancelTask(once, { now: 20, by: 'key:b' })).toBe(once)
  })
})

describe('time', () => {
  const at = (task: Task, now: number) => passTime(task, { now, random: 0.5 })

  it('starts what was scheduled', () => {
    expect(at(fail(leased()), 2500)).toMatchObject({ status: 'QUEUED' })
    const early = fail(leased())
    expect(at(early, 2499)).toBe(early)
  })

  it('times an attempt out and retries it', () => {
    expect(at(leased(), 61_000)).toMatchObject({ status: 'SCHEDULED', failure: { code: 'TIMEOUT' } })
  })

  it('ends everything at the deadline, by name', () => {
    const late = { deadline: 5000, dueAt: 5000 }
    expect(at(aTask(late), 5000)).toMatchObject({ status: 'FAILED', failure: { code: 'DEADLINE' } })
    expect(at(leased(aTask(late)), 5000)).toMatchObject({ status: 'FAILED', failure: { code: 'DEADLINE' } })
    const message = 'no agent offers x.y; the task runs as soon as one can'
    expect(at(aTask({ ...late, blockedBy: { code: 'NO_CAPABLE_AGENT', message } }), 5000).failure).toMatchObject({
      code: 'NO_CAPABLE_AGENT',
      message: 'the deadline passed before an agent could do it: no agent offers x.y',
    })
    for (const told of [message, 'the deadline passed before an agent could do it: no agent offers x.y']) {
      const unable = { message: told, what: 'make its shards' }
      expect(passTime(leased(aTask(late)), { now: 5000, random: 0.5, unable }).failure?.message).toBe(
        'the deadline passed before an agent could make its shards: no agent offers x.y',
      )
    }
    const waiting = { kind: 'input', prompt: '?', since: 1000, expiresAt: 9000 } as const
    const asks = aTask({ ...late, deadlineGiven: true, status: 'WAITING', waiting })
    expect(at(asks, 5000).failure).toMatchObject({
      code: 'DEADLINE',
      message: 'the deadline passed while it waited for input',
    })
  })

  it('looks at a queued task again at growing distances, without an event', () => {
    const once = at(aTask(), 60_000)
    expect(once).toMatchObject({ status: 'QUEUED', seq: 1, dueAt: 120_000 })
    expect(at(once, 120_000).dueAt).toBe(180_000)
    expect(at(aTask({ dueAt: 0, deadline: 9e9 }), 1_200_000).dueAt).toBe(1_500_000)
  })

  it('looks at a queued task that its queue lost within a minute, a quarter of its age, and ten minutes at the most', () => {
    fc.assert(
      fc.property(fc.integer({ min: 60_000, max: 80_000_000 }), (now) => {
        const pause = (at(aTask({ dueAt: now, deadline: 9e9 }), now).dueAt ?? 0) - now
        expect(pause).toBe(Math.min(Math.max(60_000, now / 4), 600_000))
      }),
    )
  })

  it('sends a task that most likely waits among others about as often as its age doubles, a day long', () => {
    let task = aTask({ deadline: 9e9, dueAt: 60_000 })
    let [sends, looks] = [0, 0]
    for (let now = 60_000; now < 86_400_000; now = task.dueAt ?? 9e9) {
      task = at(task, now)
      sends += resendChance(task, now)
      looks++
    }
    expect(resendChance(aTask(), 60_000)).toBe(1)
    expect(sends).toBeGreaterThan(5)
    expect(sends).toBeLessThan(10)
    expect(looks).toBeLessThan(170)
  })
})

it('reports take one number each and keep what they do not name', () => {
  const task = reportTask(leased(), { events: 3, progress: { percent: 10 }, usage: { seconds: 1 } })
  const more = reportTask(task, { events: 1, progress: { message: 'half' }, usage: { seconds: 2, cost: 0.5 } })
  expect(more).toMatchObject({ seq: 6, progress: { percent: 10, message: 'half' }, usage: { seconds: 3, cost: 0.5 } })
})
