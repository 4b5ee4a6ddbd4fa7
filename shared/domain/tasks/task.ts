import type { Body } from '../bodies/body.ts'
import type { Stamp } from '../caller.ts'
import type { RetryPolicy } from './retry-policy.ts'

export const priorities = ['urgent', 'high', 'normal', 'low'] as const
export type Priority = (typeof priorities)[number]

export type TaskStatus = 'SCHEDULED' | 'QUEUED' | 'RUNNING' | 'WAITING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED'
export type Failure = { code: string; message: string; retryable: boolean }
export type Usage = { seconds?: number; tokens?: number; cost?: number }

/** Which agent and version does a task; absent while nobody can. */
export type Target = { agent: string; agentName: string; version: string }

/** The one lease of a running task: who holds it under which fence, and when the attempt times out (ms). */
export type Lease = {
  instance: string
  fence: string
  since: number
  timeoutAt: number
  /** It takes one of the places that the agent's own limit leaves. */
  counted?: true
}

/** The latest change of state: `seq` is its event's, `reason` the failure or release that caused it. */
export type Transition = {
  seq: number
  from?: TaskStatus
  to: TaskStatus
  at: number
  reason?: string
  message?: string
}

/** What the last ended attempt was told, kept to answer a repeated call with. */
export type StoredAnswer = { fence: string; digest: string; willRetry?: boolean; nextAttemptAt?: number }

/** The head of a task: state, routing, lease and pointers. Times are milliseconds since the epoch. */
export type Task = {
  id: string
  tenant: string
  status: TaskStatus
  capability?: string
  target?: Target
  priority: Priority
  /** Fairness inside a lane. */
  fairnessKey: string
  labels: Record<string, string>
  input: Body
  retry: RetryPolicy
  timeoutSeconds: number
  deadline: number
  runAt?: number
  /** The current attempt's number, or the last one's; 0 before the first. */
  attempt: number
  /** Failed attempts that count against `retry.attempts`. */
  failures: number
  /** Lost leases: counted apart. */
  leaseLosses: number
  /** Leases that were given back unharmed. */
  releases: number
  /** Grows with every lease: the second half of the fence. */
  epoch: number
  /** The last event's number. */
  seq: number
  transition: Transition
  lease?: Lease
  progress?: { percent?: number; message?: string }
  checkpoint?: Body
  result?: Body
  artifacts?: { name: string; $ref: string }[]
  failure?: Failure
  answer?: StoredAnswer
  /** The last report that was recorded, under its fence: repeated it changes nothing. */
  reported?: { fence: string; key: string }
  usage?: Usage
  blockedBy?: { code: string; message: string }
  /** When the sweep must look again; absent once the task has ended. */
  dueAt?: number
  createdAt: number
  startedAt?: number
  finishedAt?: number
  /** Digest of the submitted body: another body under the same idempotency key is a conflict. */
  submitted: string
  submittedBy: string
  traceparent?: string
  stamp: Stamp
}

export const isFinished = ({ status }: Pick<Task, 'status'>): boolean =>
  status === 'SUCCEEDED' || status === 'FAILED' || status === 'CANCELLED'

/** Where a task's state may go. */
export const allowedNext: Record<TaskStatus, readonly TaskStatus[]> = {
  SCHEDULED: ['QUEUED', 'FAILED', 'CANCELLED'],
  QUEUED: ['RUNNING', 'FAILED', 'CANCELLED'],
  RUNNING: ['QUEUED', 'SCHEDULED', 'WAITING', 'SUCCEEDED', 'FAILED', 'CANCELLED'],
  WAITING: ['QUEUED', 'FAILED', 'CANCELLED'],
  SUCCEEDED: [],
  FAILED: [],
  CANCELLED: [],
}

/** How many attempts there can be: lost and returned leases come on top of the retry policy's. */
export const maxAttemptsOf = (task: Task): number => task.retry.attempts + task.leaseLosses + task.releases

/** How often an attempt may vanish with its instance before the task counts as poison. */
export const maxLeaseLosses = 5
/** A queued task is sent again after this time, and then at growing distances, in case its queue lost it. */
export const resendMs = 60_000
/** How long a task may wait for its end unless it says so. */
export const defaultDeadlineMs = 24 * 3_600_000
export const defaultTimeoutSeconds = 3600
