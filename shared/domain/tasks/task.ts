import type { Body } from '../bodies/body.ts'
import type { Stamp } from '../caller.ts'
import type { RetryPolicy } from './retry-policy.ts'

export const priorities = ['urgent', 'high', 'normal', 'low'] as const
export type Priority = (typeof priorities)[number]

export type TaskStatus = 'SCHEDULED' | 'QUEUED' | 'RUNNING' | 'WAITING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED'
export type Failure = { code: string; message: string; retryable: boolean }
export type Usage = {
  seconds?: number
  tokens?: number
  /** US dollars. */
  cost?: number
  cpuSeconds?: number
  peakMemoryMb?: number
  bytesWritten?: number
}

/** What is read of the processes of an attempt: all that they used. */
export type Measured = Pick<Usage, 'cpuSeconds' | 'peakMemoryMb' | 'bytesWritten'>

/** What a task may use; absent: no bound. `money` in US dollars, `depth` of the tree below it. */
export type Budget = { money?: number; tokens?: number; seconds?: number; children?: number; depth?: number }

/** Hard conditions on who may do a task. `version` is a range of semantic versions. */
export type Requirements = { labels?: Record<string, string>; resourceClass?: string; version?: string }

/** What a waiting task waits for, and until when (ms). */
export type Waiting = {
  kind: 'input' | 'approval'
  /** Of a long one its beginning; `whole` has all of it. */
  prompt: unknown
  whole?: Body
  since: number
  expiresAt: number
  /** The approval that ends it. */
  approval?: string
}

/** What ended the wait: told with the next lease. */
export type Resume = { kind: Waiting['kind']; response: Body; by: string }

/** Which agent and version does a task; absent while nobody can. */
export type Target = { agent: string; agentName: string; version: string }

/** The one lease of a running task: who holds it under which fence, and when the attempt times out (ms). */
export type Lease = {
  instance: string
  fence: string
  since: number
  timeoutAt: number
  /** The limits that it counts in, each with the name of its place there. */
  counted?: Record<string, string>
  /** When the seconds that its budget had left are over (ms). */
  budgetAt?: number
  /** The task's usage when it began. */
  usedBefore?: Usage
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

/** A candidate as the decision saw it; the one with the highest score was chosen. */
export type RoutedCandidate = { agent: string; version: string; score: number }

/** The head of a task: state, routing, lease and pointers. Times are milliseconds since the epoch. */
export type Task = {
  id: string
  tenant: string
  status: TaskStatus
  capability?: string
  target?: Target
  /** The submitter named the agent: no other one does it while that is there. */
  agentNamed?: true
  priority: Priority
  /** Fairness inside a lane. */
  fairnessKey: string
  requirements?: Requirements
  /** Tasks of one key run on one instance while it lives. */
  affinityKey?: string
  /** The instance that `affinityKey` leads to. */
  pinnedTo?: string
  /** How the target was chosen. */
  routing?: { reason: string; candidates?: RoutedCandidate[] }
  /** The task that called this one, and the first of the tree. */
  parent?: string
  root?: string
  /** 0 of a task that nobody called. */
  depth?: number
  /** The row of a batch that it is, or the part of a distributed task. */
  batch?: { id: string; row: number | 'split' | 'join' }
  /** The platform holds it itself: its shards are the rows of this batch. */
  fanOut?: { id: string; capability?: string }
  /** Its own; the pools of those above it bound it too. */
  budget?: Budget
  /** The task whose pool it draws on: itself, or the nearest above it with a budget. */
  pool?: string
  /** The depth that the budgets above it, and its own, allow below it. */
  deepest?: number
  /** Who is told of its end: a `Callback`. */
  callback?: Body
  /** The schedule that started it. */
  schedule?: string
  /** The letter that it handles. */
  letter?: string
  /** The topics and agents that led to it: what it sends knows them, so that nothing goes round for ever. */
  hops?: string[]
  /** The step of a run that it is done for. */
  workflow?: { run: string; step: string }
  /** The run that what it comes from is done for. */
  run?: string
  /** The task that was retried by this one. */
  retryOf?: string
  labels: Record<string, string>
  input: Body
  retry: RetryPolicy
  timeoutSeconds: number
  deadline: number
  /** The submitter named the deadline: it ends a wait too, and moves for none. */
  deadlineGiven?: true
  runAt?: number
  /** The current attempt's number, or the last one's; 0 before the first. */
  attempt: number
  /** Failed attempts that count against `retry.attempts`. */
  failures: number
  /** Lost leases: counted apart. */
  leaseLosses: number
  /** Leases that were given back unharmed. */
  releases: number
  /** Of the failures, those whose process ended by itself. */
  crashes?: number
  /** Milliseconds that the current attempt has run before it waited. */
  ranMs?: number
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
  reported?: { fence: string; key: string; digest: string }
  usage?: Usage
  /** The budget was not charged yet with all of that. */
  owes?: true
  /** Seconds that its attempts ran, as the platform measured them. */
  ranSeconds?: number
  blockedBy?: { code: string; message: string }
  /** The limit that holds it: it is sent again when that has room. */
  heldBy?: string
  waiting?: Waiting
  /** What the last wait brought; told with each lease from then on. */
  resume?: Resume
  /** The next lease goes on with the same attempt. */
  continues?: boolean
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

/** What is to be done; of a distributed task its shards do it. */
export const capabilityOf = ({ capability, fanOut }: Pick<Task, 'capability' | 'fanOut'>): string | undefined =>
  capability ?? fanOut?.capability

/** The run whose values a task shares. */
export const runOfTask = ({ workflow, run }: Pick<Task, 'workflow' | 'run'>): string | undefined => workflow?.run ?? run

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

/** So many attempts that vanished with their instances make a task poison. */
export const maxLeaseLosses = 5
/** A queued task is looked at again after this time, and then at growing distances up to the most, in case its queue lost it. */
export const resendMs = 60_000
export const resendMostMs = 600_000
/** How often the sweep looks at a running task whose instance keeps its lease. */
export const leaseCheckMs = 60_000
/** How long a task may wait for its end unless it says so. */
export const defaultDeadlineMs = 24 * 3_600_000
/** The last moment that has a year of four digits: times are compared and read as text. RFC 3339. */
export const latestTime = Date.UTC(9999, 11, 31, 23, 59, 59, 999)
export const defaultTimeoutSeconds = 3600
