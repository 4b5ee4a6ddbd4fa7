import type { Body } from '../bodies/body.ts'
import { type Refused, refuse } from '../domain-error.ts'
import { backoffMs, mayRetry } from './retry-policy.ts'
import {
  allowedNext,
  type Failure,
  isFinished,
  type Lease,
  maxLeaseLosses,
  type Resume,
  resendMostMs,
  resendMs,
  type Task,
  type TaskStatus,
  type Usage,
  type Waiting,
} from './task.ts'
import { addUsage } from './usage-sum.ts'

/** How often the sweep looks at a running task whose instance keeps its lease. */
const leaseCheckMs = 60_000

/** Changes the state and takes the number of its event; an edge that does not exist is a defect, not a refusal. */
const moveTo = (
  task: Task,
  to: TaskStatus,
  now: number,
  change: Partial<Task>,
  why: { reason?: string; message?: string } = {},
): Task => {
  if (!allowedNext[task.status].includes(to))
    throw new Error(`task ${task.id} is ${task.status} and cannot become ${to}`)
  const seq = task.seq + 1
  return {
    ...task,
    ...change,
    ...measured(task, now),
    status: to,
    seq,
    transition: { seq, from: task.status, to, at: now, ...why },
  }
}

/** The seconds of an attempt that this move ends; the platform itself works for nothing. */
const measured = ({ status, lease, fanOut, ranSeconds = 0 }: Task, now: number): Pick<Task, 'ranSeconds'> =>
  status === 'RUNNING' && lease && !fanOut ? { ranSeconds: ranSeconds + Math.max(0, now - lease.since) / 1000 } : {}

/** What a task that has ended does not have any more. */
const over = {
  lease: undefined,
  blockedBy: undefined,
  heldBy: undefined,
  pinnedTo: undefined,
  waiting: undefined,
  dueAt: undefined,
} satisfies Partial<Task>

const finish = (
  task: Task,
  to: 'SUCCEEDED' | 'FAILED' | 'CANCELLED',
  now: number,
  change: Partial<Task>,
  why = {},
): Task => moveTo(task, to, now, { ...change, ...over, finishedAt: now }, why)

/** Who writes to a running task: an instance, or an administrator; `generation` is the platform's. */
export type Writer = { instance?: string; generation: number }

const generationOf = ({ fence }: Lease): number => Number(fence.slice(0, fence.indexOf('.')))

/** Whether it was leased before the records were restored: its holder is refused, the task has to run again. */
export const isOfOldGeneration = ({ status, lease }: Task, generation: number): boolean =>
  status === 'RUNNING' && lease !== undefined && generationOf(lease) < generation

/** Only the holder of the row's current fence may write, in the generation of that fence; `STALE_FENCE` for all others. */
export const requireFence = (task: Task, fence: string, { instance, generation }: Writer): Task | Refused => {
  const lease = task.lease
  const held = task.status === 'RUNNING' && lease?.fence === fence && generationOf(lease) === generation
  if (held && (instance === undefined || instance === lease.instance)) return task
  return refuse(
    'STALE_FENCE',
    `fence ${fence} is not the current one of task ${task.id}, which is ${task.status}; stop working on it`,
  )
}

/** `QUEUED → RUNNING` under a new fence. */
export const leaseTask = (
  task: Task,
  {
    instance,
    generation,
    now,
    counted,
    secondsLeft,
  }: { instance: string; generation: number; now: number; counted?: Lease['counted']; secondsLeft?: number },
): Task | Refused => {
  if (task.status !== 'QUEUED') return refuse('CONFLICT', `task ${task.id} is ${task.status}, not QUEUED`)
  if (task.deadline <= now) return refuse('CONFLICT', `the deadline of task ${task.id} has passed`)
  const epoch = task.epoch + 1
  const ranMs = task.continues ? (task.ranMs ?? 0) : 0
  const timeoutAt = now + Math.max(0, task.timeoutSeconds * 1000 - ranMs)
  const budgetAt = secondsLeft === undefined ? undefined : Math.ceil(now + secondsLeft * 1000)
  const limitAt = Math.min(timeoutAt, budgetAt ?? timeoutAt)
  return moveTo(task, 'RUNNING', now, {
    epoch,
    attempt: task.continues ? task.attempt : task.attempt + 1,
    continues: undefined,
    ranMs,
    lease: {
      instance,
      fence: `${generation}.${epoch}`,
      since: now,
      timeoutAt,
      ...(counted && { counted }),
      ...(budgetAt !== undefined && { budgetAt }),
      ...(task.usage && { usedBefore: task.usage }),
    },
    startedAt: task.startedAt ?? now,
    blockedBy: undefined,
    heldBy: undefined,
    pinnedTo: undefined,
    dueAt: Math.min(task.dueAt ?? task.deadline, limitAt, task.deadline, now + leaseCheckMs), // moved lazily: its index entry costs
  })
}

export type Report = {
  events: number
  progress?: Task['progress']
  checkpoint?: Body
  usage?: Usage
  reported?: Task['reported']
}

/** Takes `events` numbers for what an attempt reports. */
export const reportTask = (task: Task, report: Report): Task => ({
  ...task,
  seq: task.seq + report.events,
  progress: report.progress === undefined ? task.progress : { ...task.progress, ...report.progress },
  checkpoint: report.checkpoint ?? task.checkpoint,
  reported: report.reported ?? task.reported,
  usage: addUsage(task.usage, report.usage),
})

/** `RUNNING → SUCCEEDED`. */
export const completeTask = (
  task: Task,
  { result, digest, usage, now }: { result: Body; digest: string; usage?: Usage; now: number },
): Task =>
  finish(task, 'SUCCEEDED', now, {
    result,
    usage: addUsage(task.usage, usage),
    answer: { fence: task.lease?.fence ?? '', digest },
    failure: undefined,
  })

/** `RUNNING → SCHEDULED` when the policy allows another attempt before the deadline, else `FAILED`. */
export const failTask = (
  task: Task,
  { failure, digest, now, random }: { failure: Failure; digest: string; now: number; random: number },
): Task => {
  const failures = task.failures + 1
  const crashes = (task.crashes ?? 0) + (failure.code === crashCode ? 1 : 0)
  const at = now + backoffMs(task.retry, failures, random)
  const fence = task.lease?.fence ?? ''
  const why = { reason: failure.code, message: failure.message }
  if (!mayRetry(task.retry, { failures, ...failure }) || at >= task.deadline) {
    const answer = { fence, digest, willRetry: false }
    const last = crashes > 1 && crashes === failures ? poisoned(crashes, failure) : failure
    return finish(task, 'FAILED', now, { failures, crashes, failure: last, answer }, { ...why, reason: last.code })
  }
  const answer = { fence, digest, willRetry: true, nextAttemptAt: at }
  return moveTo(task, 'SCHEDULED', now, { failures, crashes, failure, answer, lease: undefined, dueAt: at }, why)
}

/** The code of an attempt whose process ended by itself. */
const crashCode = 'CRASH'

/** Every attempt took its process with it: whatever the task asks for is the cause. */
const poisoned = (crashes: number, { message }: Failure): Failure => ({
  code: 'POISON',
  message: `all ${crashes} attempts ended with their process; the last one: ${message}`,
  retryable: false,
})

/** Back to `QUEUED` because the holder is gone; too often is `FAILED` with `POISON`. */
export const loseLease = (task: Task, { now, message }: { now: number; message: string }): Task => {
  const leaseLosses = task.leaseLosses + 1
  if (leaseLosses > maxLeaseLosses) {
    const failure = {
      code: 'POISON',
      message: `${leaseLosses} attempts vanished with their instances`,
      retryable: false,
    }
    return finish(task, 'FAILED', now, { leaseLosses, failure }, { reason: 'POISON', message: failure.message })
  }
  return requeue(task, now, { leaseLosses }, { reason: 'LEASE_LOST', message })
}

/** Back to `QUEUED` because the holder gave the lease back. */
export const releaseLease = (task: Task, { now, message }: { now: number; message: string }): Task =>
  requeue(task, now, { releases: task.releases + 1 }, { reason: 'RELEASED', message })

const requeue = (task: Task, now: number, change: Partial<Task>, why: { reason: string; message: string }): Task =>
  moveTo(task, 'QUEUED', now, { ...change, lease: undefined, dueAt: Math.min(now + resendMs, task.deadline) }, why)

/** `RUNNING → WAITING`: the slot is free, the time-out stands still; `checkpoint` is where the task goes on. */
export const waitTask = (
  task: Task,
  { waiting, digest, checkpoint, now }: { waiting: Waiting; digest: string; checkpoint?: Body; now: number },
): Task =>
  moveTo(
    task,
    'WAITING',
    now,
    {
      waiting,
      checkpoint: checkpoint ?? task.checkpoint,
      answer: { fence: task.lease?.fence ?? '', digest },
      ranMs: (task.ranMs ?? 0) + (now - (task.lease?.since ?? now)),
      lease: undefined,
      dueAt: task.deadlineGiven ? Math.min(waiting.expiresAt, task.deadline) : waiting.expiresAt,
    },
    { reason: 'WAITING', message: `waits for ${waiting.kind}` },
  )

/** `WAITING → QUEUED` with what it waited for: the same attempt goes on. A deadline that nobody named moves with it. */
export const resumeTask = (task: Task, { resume, now }: { resume: Resume; now: number }): Task | Refused => {
  if (task.status !== 'WAITING') return refuse('NOT_WAITING', `task ${task.id} is ${task.status} and does not wait`)
  const deadline = task.deadlineGiven ? task.deadline : task.deadline + Math.max(0, now - (task.waiting?.since ?? now))
  const dueAt = Math.min(now + resendMs, deadline)
  const change = { waiting: undefined, resume, continues: true, deadline, dueAt }
  return moveTo(task, 'QUEUED', now, change, { reason: 'RESUMED', message: `${resume.kind} by ${resume.by}` })
}

/** `WAITING → FAILED` because somebody rejected what it asked for. */
export const rejectTask = (task: Task, { message, now }: { message: string; now: number }): Task | Refused =>
  task.status === 'WAITING'
    ? failNow(task, now, 'REJECTED', message)
    : refuse('NOT_WAITING', `task ${task.id} is ${task.status} and does not wait`)

/** `SCHEDULED → QUEUED` before its time; the same task again where it is not scheduled. */
export const hurryTask = (task: Task, now: number): Task =>
  task.status === 'SCHEDULED'
    ? moveTo(
        task,
        'QUEUED',
        now,
        { dueAt: Math.min(now + resendMs, task.deadline) },
        { reason: 'HURRIED', message: 'started before its time' },
      )
    : task

/** Any state that has not ended → `CANCELLED`; the holder learns of it with its next call. */
export const cancelTask = (task: Task, { now, by }: { now: number; by: string }): Task | Refused => {
  if (task.status === 'CANCELLED') return task
  if (isFinished(task)) return refuse('ALREADY_FINISHED', `task ${task.id} is already ${task.status}`)
  return finish(task, 'CANCELLED', now, {}, { reason: 'CANCELLED', message: `cancelled by ${by}` })
}

const failNow = (task: Task, now: number, code: string, message: string): Task =>
  finish(task, 'FAILED', now, { failure: { code, message, retryable: false } }, { reason: code, message })

/** Any state that has not ended → `FAILED` because the budget is spent. `usage` and `digest` are of a completion that came too late. */
export const overspend = (
  task: Task,
  { message, now, usage, digest }: { message: string; now: number; usage?: Usage; digest?: string },
): Task => ({
  ...failNow(task, now, 'BUDGET', message),
  usage: addUsage(task.usage, usage),
  ...(digest !== undefined && { answer: { fence: task.lease?.fence ?? '', digest } }),
})

const missDeadline = (task: Task, now: number): Task =>
  task.blockedBy?.code === 'NO_CAPABLE_AGENT'
    ? failNow(task, now, 'NO_CAPABLE_AGENT', task.blockedBy.message)
    : failNow(task, now, 'DEADLINE', 'the deadline passed before the task ended')

const timeOut = (task: Task, now: number, random: number): Task =>
  failTask(task, {
    failure: { code: 'TIMEOUT', message: `the attempt ran longer than ${task.timeoutSeconds} s`, retryable: true },
    digest: 'timeout',
    now,
    random,
  })

/** A wait ends when nobody answered in time, or at a deadline that the submitter named. */
const passWait = (task: Task, now: number): Task => {
  const { kind = 'input', since = now, expiresAt = now } = task.waiting ?? {}
  if (task.deadlineGiven && task.deadline <= now) return missDeadline(task, now)
  if (expiresAt > now) return { ...task, dueAt: task.deadlineGiven ? Math.min(expiresAt, task.deadline) : expiresAt }
  return failNow(task, now, 'TIMEOUT', `nobody gave its ${kind} within ${Math.round((expiresAt - since) / 1000)} s`)
}

/** What time alone does to a task. The same object again means: nothing yet. */
export const passTime = (task: Task, { now, random }: { now: number; random: number }): Task => {
  if (task.dueAt === undefined || task.dueAt > now) return task
  if (task.status === 'WAITING') return passWait(task, now)
  if (task.deadline <= now) return missDeadline(task, now)
  if (task.status === 'SCHEDULED')
    return moveTo(task, 'QUEUED', now, { dueAt: Math.min(now + resendMs, task.deadline) })
  if (task.status === 'RUNNING' && (task.lease?.budgetAt ?? now + 1) <= now)
    return overspend(task, { message: 'its budget of seconds is spent', now })
  if (task.status === 'RUNNING' && (task.lease?.timeoutAt ?? 0) <= now) return timeOut(task, now, random)
  const { timeoutAt = 0, budgetAt = timeoutAt } = task.lease ?? {}
  const next = task.status === 'RUNNING' ? Math.min(timeoutAt, budgetAt) : Number.POSITIVE_INFINITY
  const pause = task.status === 'RUNNING' ? leaseCheckMs : resendPause(task, now)
  return { ...task, dueAt: Math.min(now + pause, next, task.deadline) }
}

/** How long a queued task may be lost to its queue before it is looked at again: a quarter of its age, within bounds. */
const resendPause = ({ transition }: Task, now: number): number =>
  Math.min(Math.max(resendMs, (now - transition.at) / 4), resendMostMs)

/**
 * How likely a queued task is sent again while others wait in its lane, where it most likely waits among them: about as
 * often as its age doubles, so that what was sent in vain never outgrows a backlog.
 */
export const resendChance = (task: Task, now: number): number =>
  Math.min(1, resendPause(task, now) / Math.max(1, now - task.transition.at))

/** `QUEUED` without a target gets one. */
export const routeTask = (task: Task, target: Task['target'], blockedBy?: Task['blockedBy']): Task => ({
  ...task,
  target,
  blockedBy,
  heldBy: undefined,
})

/** A waiting task whose agent is gone waits for whoever offers its capability; one without a capability has nobody. */
export const loseAgent = (task: Task, now: number): Task => {
  const gone = `agent ${task.target?.agentName} is decommissioned`
  if (task.capability === undefined) return failNow(task, now, 'NO_CAPABLE_AGENT', gone)
  const message = `${gone} and no other offers ${task.capability}; the task runs as soon as one registers`
  return routeTask(task, undefined, { code: 'NO_CAPABLE_AGENT', message })
}
