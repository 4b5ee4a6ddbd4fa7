import { expect, it } from 'vitest'
import { addAttempt, endedAttempt, fade, type Recorded } from '#shared/domain/dispatch/performance.ts'
import type { Task } from '#shared/domain/tasks/task.ts'

const attempts = (count: number, succeeded: boolean, before?: Recorded): Recorded =>
  Array.from({ length: count }, () => ({ tenant: 't', agent: 'a', succeeded, ms: 100, at: 1000 })).reduce<
    Recorded | undefined
  >(addAttempt, before) as Recorded

it('the latest attempts count most, and failures are forgotten with time', () => {
  const good = attempts(50, true)
  expect(good).toEqual({ success: 1, latencyMs: 100, at: 1000 })
  const bad = attempts(30, false, good)
  expect(bad.success).toBeLessThan(0.1)
  expect(attempts(30, true, bad).success).toBeGreaterThan(0.9)
  expect(fade(bad, 1000).success).toBeCloseTo(bad.success)
  expect(fade(bad, 1000 + 60 * 60_000).success).toBeGreaterThan(0.95)
})

it('only ends that an agent is the cause of say something about it', () => {
  const target = { agent: 'a', agentName: 'a', version: '1.0.0' }
  const before = { lease: { since: 500 } } as Task
  const after = (status: Task['status'], reason?: string) =>
    ({ tenant: 't', target, status, transition: { at: 800, reason } }) as Task
  expect(endedAttempt(before, after('SUCCEEDED'))).toMatchObject({ succeeded: true, ms: 300 })
  expect(endedAttempt(before, after('SCHEDULED', 'AGENT_ERROR'))).toMatchObject({ succeeded: false })
  expect(endedAttempt(before, after('FAILED', 'TIMEOUT'))).toMatchObject({ succeeded: false })
  for (const [status, reason] of [
    ['QUEUED', 'LEASE_LOST'],
    ['QUEUED', 'RELEASED'],
    ['CANCELLED', 'CANCELLED'],
    ['WAITING', 'WAITING'],
    ['RUNNING', undefined],
  ] as const)
    expect(endedAttempt(before, after(status, reason))).toBeUndefined()
  expect(endedAttempt(undefined, after('SUCCEEDED'))).toBeUndefined()
})
