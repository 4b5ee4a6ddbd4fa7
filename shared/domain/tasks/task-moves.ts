import type { Body } from '../bodies/body.ts'
import { type Refused, refuse } from '../domain-error.ts'
import { backoffMs, mayRetry } from './retry-policy.ts'
import {
  type Failure,
  isFinished,
  type Lease,
  leaseCheckMs,
  type Measured,
  maxLeaseLosses,
  type Resume,
  resendMs,
  type Task,
  type Usage,
  type Waiting,
} from './task.ts'
import { failNow, finish, moveTo } from './task-transition.ts'
import { addUsage } from './usage-sum.ts'

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

/** What an earlier attempt used comes on top, and is none of what the current one uses. */
export const addMeasured = (task: Task, more: Measured): Task => ({
  ...task,
  usage: addUsage(task.usage, more),
  ...(task.lease && { lease: { ...task.lease, usedBefore: addUsage(task.lease.usedBefore, more) } }),
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
  if (leaseLosses >= maxLeaseLosses) {
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
      dueAt: waiting.expiresAt,
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

/** Any state that has not ended → `FAILED` because the budget is spent. `usage` and `digest` are of a completion that came too late. */
export const overspend = (
  task: Task,
  { message, now, usage, digest }: { message: string; now: number; usage?: Usage; digest?: string },
): Task => ({
  ...failNow(task, now, 'BUDGET', message),
  usage: addUsage(task.usage, usage),
  ...(digest !== undefined && { answer: { fence: task.lease?.fence ?? '', digest } }),
})

/** A waiting task gets a target that nobody named, or has none. */
export const routeTask = (task: Task, target: Task['target'], blockedBy?: Task['blockedBy']): Task => ({
  ...task,
  target,
  agentNamed: undefined,
  pinnedTo: undefined,
  blockedBy,
  heldBy: undefined,
})

/**
 * The agent of a waiting task cannot do it any more. Whoever named that agent waits until it can; otherwise whoever else can
 * does it. The same task again where it waits for that already.
 */
export const loseTarget = (task: Task, message: string): Task => {
  const blockedBy = { code: 'NO_CAPABLE_AGENT', message }
  if (!task.agentNamed && task.capability !== undefined)
    return { ...routeTask(task, undefined, blockedBy), routing: undefined }
  const same = task.blockedBy?.message === message && task.pinnedTo === undefined && task.heldBy === undefined
  return same ? task : { ...task, pinnedTo: undefined, heldBy: undefined, blockedBy }
}

/** A waiting task whose agent is gone waits for whoever offers its capability; one without, or of its mail, has nobody. */
export const loseAgent = (task: Task, now: number): Task => {
  const gone = `agent ${task.target?.agentName} is decommissioned`
  if (task.capability === undefined || task.letter !== undefined) return failNow(task, now, 'NO_CAPABLE_AGENT', gone)
  const message = `${gone} and no other offers ${task.capability}; the task runs as soon as one registers`
  return routeTask(task, undefined, { code: 'NO_CAPABLE_AGENT', message })
}
