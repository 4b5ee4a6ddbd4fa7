/** `attempts` counts all of them. */
export type RetryPolicy = {
  attempts: number
  initialSeconds: number
  maxSeconds: number
  factor: number
  retryableCodes?: string[]
}

export const defaultRetry: RetryPolicy = { attempts: 3, initialSeconds: 1, maxSeconds: 60, factor: 2 }

/** What is asked for, then what the agent says, then the platform's; no bound that nobody asked for is below the first pause. */
export const retryPolicyOf = (asked: Partial<RetryPolicy> = {}, agents: Partial<RetryPolicy> = {}): RetryPolicy => {
  const policy = { ...defaultRetry, ...agents, ...asked }
  return { ...policy, maxSeconds: asked.maxSeconds ?? Math.max(policy.maxSeconds, policy.initialSeconds) }
}

/**
 * Milliseconds before the next attempt after `failures` failed ones: full jitter, that is, random between 0 and the
 * exponential bound. https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export const backoffMs = (policy: RetryPolicy, failures: number, random: number): number => {
  const bound = Math.min(policy.maxSeconds, policy.initialSeconds * policy.factor ** Math.max(0, failures - 1))
  return Math.round(random * bound * 1000)
}

/** Failures that end a task whatever the policy says. */
const never = new Set(['DEADLINE', 'BUDGET', 'POISON', 'REJECTED', 'NO_CAPABLE_AGENT'])

/** Whether a failed attempt is followed by another one. */
export const mayRetry = (
  policy: RetryPolicy,
  { failures, code, retryable }: { failures: number; code: string; retryable: boolean },
): boolean => failures < policy.attempts && !never.has(code) && (policy.retryableCodes?.includes(code) ?? retryable)
