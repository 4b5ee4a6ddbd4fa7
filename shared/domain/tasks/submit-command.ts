import type { RetryPolicy } from './retry-policy.ts'
import type { Priority, Task } from './task.ts'

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
  /** The task that calls this one. */
  parent?: string
  /** The row of a batch that it is. */
  batch?: Task['batch']
  idempotencyKey?: string
  traceparent?: string
}
