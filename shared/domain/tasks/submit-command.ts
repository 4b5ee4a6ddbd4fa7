import type { Distribution } from '../fan-out/shards.ts'
import type { InputStream } from '../input/input-stream.ts'
import type { Callback } from '../webhooks/callback.ts'
import type { RetryPolicy } from './retry-policy.ts'
import type { Budget, Priority, Requirements, Task } from './task.ts'

/** What is done again: where it had come to, who had brought it there, and the stream that it had been given. */
type RetryOf = {
  id: string
  from: 'checkpoint' | 'start'
  checkpoint?: unknown
  agent?: string
  stream?: InputStream
}

/** What a caller wishes for; absent fields are the agent's to say, then the platform's. */
export type SubmitCommand = Distribution & {
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
  requirements?: Requirements
  affinityKey?: string
  /** Fairness inside a lane. */
  fairnessKey?: string
  budget?: Budget
  /** The task that calls this one. */
  parent?: string
  /** The row of a batch that it is. */
  batch?: Task['batch']
  /** The task that it does again. */
  retryOf?: RetryOf
  /** Who is told of its end. */
  callback?: Callback
  /** The letter that it handles. */
  letter?: string
  /** The topics and agents that led to it: what it sends knows them. */
  hops?: string[]
  /** The schedule that started it. */
  schedule?: string
  /** The step of a run that it is done for. */
  workflow?: Task['workflow']
  /** The run that what it comes from is done for. */
  run?: string
  idempotencyKey?: string
  traceparent?: string
}
