import { describe, expect, it } from 'vitest'
import { backoffMs, retryPolicyOf } from '#shared/domain/tasks/retry-policy.ts'

describe('a retry policy', () => {
  it.each([
    [{}, {}, 60],
    [{ initialSeconds: 100 }, {}, 100],
    [{ initialSeconds: 100 }, { maxSeconds: 30 }, 100],
    [{}, { initialSeconds: 90 }, 90],
    [{}, { maxSeconds: 30 }, 30],
    [{ maxSeconds: 5 }, { initialSeconds: 50 }, 5],
  ])('of %j, where the agent says %j, never pauses for more than %i s', (asked, agents, seconds) => {
    const policy = retryPolicyOf(asked, agents)
    expect(policy.maxSeconds).toBe(seconds)
    expect(backoffMs(policy, 50, 1)).toBe(seconds * 1000)
  })

  it('has the whole first pause that was asked for', () => {
    expect(backoffMs(retryPolicyOf({ initialSeconds: 100 }), 1, 1)).toBe(100_000)
  })
})
