import { describe, expect, it } from 'vitest'
import type { Agent } from '#shared/domain/agents/agent.ts'
import { defaultRetry } from '#shared/domain/tasks/retry-policy.ts'
import type { Task } from '#shared/domain/tasks/task.ts'
import type { LiveInstance, Situation } from '#shared/domain/why/cause.ts'
import { explain } from '#shared/domain/why/why.ts'
import { aTask } from '#test/support/builders.ts'

const now = 10_000
const agent = { name: 'reviewer', state: 'ONLINE', detail: 'READY', configuration: {} } as Agent
const instance: LiveInstance = { id: 'ins_a', slots: 2, running: 0, draining: false, labels: {} }
const about = (task: Partial<Task>, more: Partial<Situation> = {}) =>
  explain({ task: aTask(task), now, agent, live: [instance], starting: 0, ...more })
const lease = { instance: 'ins_a', fence: '1.1', since: 4000, timeoutAt: 64_000 }
const failed = (code: string) =>
  about({ status: 'FAILED', finishedAt: 9000, failure: { code, message: 'because', retryable: false } })

describe('why of a task that is settled', () => {
  it('names the code of a failure, and its own agent for codes that the platform does not know', () => {
    for (const code of [
      'AGENT_ERROR',
      'TIMEOUT',
      'DEADLINE',
      'LEASE_LOST',
      'POISON',
      'BUDGET',
      'REJECTED',
      'RESOURCE_LIMIT',
    ])
      expect(failed(code).code).toBe(code)
    expect(failed('LINT_BROKE')).toMatchObject({
      code: 'AGENT_ERROR',
      message: 'it failed with LINT_BROKE: because',
      evidence: { failure: { code: 'LINT_BROKE' } },
    })
  })

  it('says of one that waited for an answer at its deadline that nobody gave it', () => {
    const failure = { code: 'DEADLINE', message: 'because', retryable: false }
    const transition = { seq: 2, from: 'WAITING', to: 'FAILED', at: 9000 } as const
    expect(about({ status: 'FAILED', finishedAt: 9000, failure, transition }).wouldChange).toContain('answer in time')
    expect(failed('DEADLINE').wouldChange).toContain('slots')
  })

  it('says by whom it was cancelled', () => {
    const stamp = { actor: 'key:ada', action: 'task.cancel', request: 'r' }
    const transition = { seq: 2, to: 'CANCELLED', at: 9000, message: 'cancelled by key:ada' } as const
    expect(about({ status: 'CANCELLED', finishedAt: 9000, stamp, transition })).toMatchObject({
      code: 'CANCELLED',
      message: 'it was cancelled by key:ada',
      evidence: { by: 'key:ada' },
    })
  })

  it('tells a running task from one whose instance is silent', () => {
    expect(about({ status: 'RUNNING', lease }, { leaseUntil: 20_000 })).toMatchObject({
      code: 'RUNNING',
      message: 'it runs on ins_a for 6 s',
    })
    expect(about({ status: 'RUNNING', lease }, { leaseUntil: 9000 }).code).toBe('LEASE_LOST')
  })

  it('tells a start time from a back-off, which counts its attempt', () => {
    expect(about({ status: 'SCHEDULED', dueAt: 20_000 })).toMatchObject({
      code: 'START_TIME',
      evidence: { runAt: '1970-01-01T00:00:20.000Z' },
    })
    const backOff = { status: 'SCHEDULED', dueAt: 20_000, failures: 1, attempt: 1, retry: defaultRetry } as const
    expect(about({ ...backOff, failure: { code: 'X', message: 'y', retryable: true } })).toMatchObject({
      code: 'BACK_OFF',
      message: 'attempt 1 of 3 failed with X; the next one starts at 1970-01-01T00:00:20.000Z',
    })
  })

  it('says whose approval it waits for, and until when', () => {
    const waiting = { kind: 'approval', prompt: 'ship it?', since: 1, expiresAt: 60_000, approval: 'apr_1' } as const
    const approval = { id: 'apr_1', approvers: ['ada'], quorum: 1, approvedBy: [], state: 'PENDING' }
    expect(about({ status: 'WAITING', waiting }, { approval })).toMatchObject({
      code: 'WAITING_FOR_APPROVAL',
      message: 'it waits for the approval of ada until 1970-01-01T00:01:00.000Z',
    })
    const two = { ...approval, approvers: ['ada', 'bob'], quorum: 2, approvedBy: ['key:ada'] }
    expect(about({ status: 'WAITING', waiting }, { approval: two })).toMatchObject({
      message: 'it waits for 2 approvals of ada, bob until 1970-01-01T00:01:00.000Z, and key:ada approved',
      evidence: { quorum: 2, approvedBy: ['key:ada'] },
      wouldChange: 'POST /approvals/apr_1/approve with 2 different keys, or /reject',
    })
    expect(about({ status: 'WAITING', waiting: { ...waiting, kind: 'input' } }).code).toBe('WAITING_FOR_INPUT')
  })
})

describe('why of a queued task', () => {
  it('is the outermost cause: each one hides what lies behind it', () => {
    const busy = { live: [{ ...instance, running: 2 }], queue: { ahead: 3, taskMs: 1000 } }
    expect(about({}, busy)).toMatchObject({
      code: 'ALL_SLOTS_BUSY',
      evidence: { position: 4, slots: 2, running: 2, estimatedStart: '1970-01-01T00:00:12.000Z' },
    })
    const pinned = { affinityKey: 'k', pinnedTo: 'ins_a' }
    expect(about(pinned, busy).code).toBe('AFFINITY')
    expect(about(pinned, { ...busy, live: [] }).code).toBe('NO_INSTANCE')
    expect(about({}, { ...busy, live: [], starting: 1 }).code).toBe('COLD_START')
    expect(about({}, { live: [{ ...instance, draining: true }] }).code).toBe('VERSION_DRAINING')
    const held = { heldBy: 'agent:reviewer', blockedBy: { code: 'LIMIT', message: 'full' } }
    expect(about(held, { live: [] }).code).toBe('LIMIT')
    expect(about({ ...held, blockedBy: { code: 'RATE', message: 'slow' } }).code).toBe('RATE')
    const paused = { ...agent, state: 'MAINTENANCE', detail: 'PAUSED' } as Agent
    expect(about(held, { agent: paused }).code).toBe('PAUSED')
    expect(about(held, { agent: { ...paused, detail: 'UPDATING' } }).code).toBe('MAINTENANCE')
    expect(about(held, { agent: { ...agent, state: 'ERROR' } }).code).toBe('AGENT_ERROR_STATE')
    expect(about(held, { agent: { ...agent, decommissionedAt: 1 } }).code).toBe('AGENT_DECOMMISSIONED')
    expect(about({ ...held, target: undefined }, { agent: undefined }).code).toBe('NO_CAPABLE_AGENT')
    expect(about({ ...held, target: undefined, deadline: now }).code).toBe('DEADLINE')
  })

  it('is nothing for as many in line as there are free slots', () => {
    const live = [{ ...instance, slots: 3, running: 1 }]
    const second = { live, queue: { ahead: 1 } }
    expect(about({}, second)).toMatchObject({ code: 'DISPATCHING' })
    expect(about({}, { live, queue: { ahead: 2 } })).toMatchObject({
      code: 'ALL_SLOTS_BUSY',
      message: '2 of 3 slots of reviewer are free for it, but 2 tasks come before it',
      evidence: { position: 3, slots: 3, running: 1 },
    })
  })

  it('is the reserve where the free slots are kept for higher lanes', () => {
    const live = [{ ...instance, slots: 10, running: 9 }]
    const next = { live, queue: { ahead: 0 } }
    expect(about({ priority: 'low' }, next)).toMatchObject({
      code: 'ALL_SLOTS_BUSY',
      message: '9 of 10 slots of reviewer are busy, 1 more is kept free for higher lanes, and it is the next',
      evidence: { slots: 10, running: 9, reserved: 1, position: 1, lane: 'low' },
      wouldChange: 'a free slot, more instances or slots, or a higher priority',
    })
    expect(about({ priority: 'normal' }, next).code).toBe('DISPATCHING')
    const guarded = {
      ...next,
      agent: { ...agent, configuration: { reservedSlots: 3 } } as Agent,
      live: [{ ...instance, slots: 4, running: 1 }],
    }
    expect(about({}, guarded)).toMatchObject({
      message: '1 of 4 slots of reviewer are busy, 3 more are kept free for higher lanes, and it is the next',
      evidence: { reserved: 3 },
      wouldChange: 'a free slot, more instances or slots, a higher priority, or fewer reservedSlots of its agent',
    })
    expect(about({ priority: 'high' }, guarded).code).toBe('DISPATCHING')
    expect(about({ affinityKey: 'k', pinnedTo: 'ins_a' }, guarded)).toMatchObject({
      code: 'AFFINITY',
      message: 'tasks of the key k run on ins_a, whose free slots are kept for higher lanes',
    })
  })

  it('is what is busy of the instances that have the labels, where its key leads to none of them', () => {
    const labels = { gpu: 'a' }
    const live = [instance, { ...instance, id: 'ins_b', slots: 1, running: 1, labels }]
    const wants = { requirements: { labels }, pinnedTo: 'ins_b' }
    const told = {
      code: 'ALL_SLOTS_BUSY',
      message: '1 of 1 slots of reviewer with the labels gpu:a are busy and it is the next',
      evidence: { labels, slots: 1, running: 1 },
      wouldChange: 'a free slot, more instances or slots with these labels, or a higher priority',
    }
    const labelled = { live, agent: { ...agent, labels: {} } }
    expect(about(wants, labelled)).toMatchObject(told)
    expect(about({ ...wants, affinityKey: 'k' }, labelled)).toMatchObject(told)
    expect(about({ ...wants, affinityKey: 'k' }, { ...labelled, pin: 'ins_b' })).toMatchObject({
      code: 'AFFINITY',
      message: 'tasks of the key k run on ins_b, all of whose slots are busy',
    })
    expect(about(wants, { live, agent: { ...agent, labels } }).code).toBe('DISPATCHING')
  })

  it('counts in sentences', () => {
    const live = [{ ...instance, running: 2 }]
    const said = (ahead: number) => about({}, { live, queue: { ahead } }).message
    expect([0, 1, 2].map(said)).toEqual([
      '2 of 2 slots of reviewer are busy and it is the next',
      '2 of 2 slots of reviewer are busy and 1 task comes before it',
      '2 of 2 slots of reviewer are busy and 2 tasks come before it',
    ])
  })

  it('says that an instance was lost while no other is there', () => {
    const transition = { seq: 3, to: 'QUEUED', at: 1, reason: 'LEASE_LOST', message: 'ins_a: gone' } as const
    expect(about({ transition }, { live: [] })).toMatchObject({ code: 'LEASE_LOST' })
    expect(about({ transition }).code).toBe('DISPATCHING')
  })

  it('is that it is on its way where nothing is in its way', () => {
    expect(about({})).toMatchObject({ code: 'DISPATCHING', evidence: { sentAgainAt: '1970-01-01T00:01:00.000Z' } })
  })
})
