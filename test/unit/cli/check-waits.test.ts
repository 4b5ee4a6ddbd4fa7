import { describe, expect, it } from 'vitest'
import { allWait, isReason, waits } from '#cli/server/faults/check/waits.ts'
import type { TaskResponse } from '#shared/contracts/tasks.ts'
import type { WhyResponse } from '#shared/contracts/why.ts'

const aWhy = (code: string, evidence: WhyResponse['evidence'] = {}): WhyResponse => ({
  code,
  evidence,
  message: '',
  wouldChange: '',
})
const queued = { status: 'QUEUED' } as const
const aTask = (change: Partial<TaskResponse>) => ({ id: 'tsk_1', status: 'QUEUED', ...change }) as TaskResponse
const answering = (why: WhyResponse) => {
  const asked: string[] = []
  const get = async <T>(path: string) => {
    asked.push(path)
    return why as T
  }
  return { asked, get }
}
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString()

describe('a reason to wait', () => {
  it.each([
    ['NO_INSTANCE', {}],
    ['PAUSED', {}],
    ['NO_CAPABLE_AGENT', {}],
    ['LIMIT', {}],
    ['LEASE_LOST', {}],
    ['ALL_SLOTS_BUSY', { running: 1 }],
    ['START_TIME', { runAt: inAnHour() }],
    ['BACK_OFF', { nextAttemptAt: inAnHour() }],
    ['RUNNING', { task: 'tsk_2', shard: 1 }],
  ])('is %s', (code, evidence) => expect(isReason(aWhy(code, evidence), queued)).toBe(true))

  it.each([
    ['DISPATCHING', {}],
    ['COLD_START', {}],
    ['DEADLINE', {}],
    ['ALL_SLOTS_BUSY', { running: 0 }],
    ['BACK_OFF', { nextAttemptAt: '2020-01-01T00:00:00.000Z' }],
  ])('is not %s', (code, evidence) => expect(isReason(aWhy(code, evidence), queued)).toBe(false))

  it('is not the lost lease of a task that still counts as running', () =>
    expect(isReason(aWhy('LEASE_LOST'), { status: 'RUNNING' })).toBe(false))
})

describe('a task', () => {
  it('is asked about only where it says nothing itself', async () => {
    const client = answering(aWhy('PAUSED'))
    const people = aTask({ status: 'WAITING' })
    const blocked = aTask({ blockedBy: { code: 'LIMIT', message: '' } })
    expect(await allWait(client, [people, blocked])).toBe(true)
    expect(client.asked).toEqual([])
    expect(await waits(client, aTask({}))).toBe(true)
    expect(client.asked).toEqual(['/tasks/tsk_1/why'])
  })

  it('without a reason ends the questions', async () => {
    const client = answering(aWhy('DISPATCHING'))
    expect(await allWait(client, [aTask({}), aTask({})])).toBe(false)
    expect(client.asked).toHaveLength(1)
  })
})
