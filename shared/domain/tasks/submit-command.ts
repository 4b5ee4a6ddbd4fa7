import type { RetryPolicy } from './retry-policy.ts'
import type { Priority } from './task.ts'

/** What a caller wishes for; absent fields are the agent's to say, then the platform's. */
export type SubmitCommand = {
  capability?: string
  agent?: string
  version?: string
  input?: unknown
  priority?: Priority
  labels: Record<string, string>
  /** Milliseconds. */
  runAt?: number
  /** Milliseconds. */
  deadline?: number
  timeoutSeconds?: number
  retry?: Partial<RetryPolicy>
  idempotencyKey?: string
  traceparent?: string
}
