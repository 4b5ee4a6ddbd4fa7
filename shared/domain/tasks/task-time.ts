import { leaseCheckMs, resendMostMs, resendMs, type Task } from './task.ts'
import { failTask, overspend } from './task-moves.ts'
import { failNow, moveTo } from './task-transition.ts'

/** What nobody could do: all of the task, or a part of a distributed one. */
export type Unable = { message: string; what: string }

const unableOf = ({ blockedBy }: Task): Unable | undefined =>
  blockedBy?.code === 'NO_CAPABLE_AGENT' ? { message: blockedBy.message, what: 'do it' } : undefined

/** At its deadline a task does not run any more, whoever comes; and that of a part passed with that of the whole. */
const aside = /^the deadline passed before an agent could do it: |; the task runs as soon as [^;]*$/g

const missDeadline = (task: Task, now: number, unable = unableOf(task)): Task =>
  unable === undefined
    ? failNow(task, now, 'DEADLINE', 'the deadline passed before the task ended')
    : failNow(
        task,
        now,
        'NO_CAPABLE_AGENT',
        `the deadline passed before an agent could ${unable.what}: ${unable.message.replace(aside, '')}`,
      )

const timeOut = (task: Task, now: number, random: number): Task =>
  failTask(task, {
    failure: { code: 'TIMEOUT', message: `the attempt ran longer than ${task.timeoutSeconds} s`, retryable: true },
    digest: 'timeout',
    now,
    random,
  })

const ofKind = { input: 'input', approval: 'an approval' }

/** A wait ends when nobody answered in time, or at a deadline that the submitter named. */
const passWait = (task: Task, now: number): Task => {
  const { kind = 'input', since = now, expiresAt = now } = task.waiting ?? {}
  if (task.deadlineGiven && task.deadline <= now)
    return failNow(task, now, 'DEADLINE', `the deadline passed while it waited for ${ofKind[kind]}`)
  if (expiresAt > now) return { ...task, dueAt: task.deadlineGiven ? Math.min(expiresAt, task.deadline) : expiresAt }
  return failNow(task, now, 'TIMEOUT', `nobody gave its ${kind} within ${Math.round((expiresAt - since) / 1000)} s`)
}

/** Until when an attempt may go on, by the budget; without `budgetAt` that bounds it no more. */
export type More = { fence: string; budgetAt?: number }

/** The same attempt with the seconds that it was given on top. */
export const withMore = (task: Task, more: More | undefined): Task => {
  const { lease } = task
  if (more === undefined || lease?.budgetAt === undefined || lease.fence !== more.fence) return task
  const budgetAt = more.budgetAt === undefined ? undefined : Math.max(lease.budgetAt, Math.ceil(more.budgetAt))
  return { ...task, lease: { ...lease, budgetAt } }
}

type Time = { now: number; random: number; unable?: Unable }

/** What time alone does to a task. The same object again means: nothing yet. */
export const passTime = (task: Task, { now, random, unable }: Time): Task => {
  if (task.dueAt === undefined || task.dueAt > now) return task
  if (task.status === 'WAITING') return passWait(task, now)
  if (task.deadline <= now) return missDeadline(task, now, unable)
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
