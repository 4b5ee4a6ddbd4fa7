import { allowedNext, type Task, type TaskStatus } from './task.ts'

/** Changes the state and takes the number of its event; an edge that does not exist is a defect, not a refusal. */
export const moveTo = (
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
    ranSeconds: ranSecondsAt(task, now),
    status: to,
    seq,
    transition: { seq, from: task.status, to, at: now, ...why },
  }
}

/** The seconds that the attempts of a task have run until now; the platform itself works for nothing. */
export const ranSecondsAt = ({ status, lease, fanOut, ranSeconds }: Task, now: number): number | undefined =>
  status === 'RUNNING' && lease && !fanOut ? (ranSeconds ?? 0) + Math.max(0, now - lease.since) / 1000 : ranSeconds

/** What a task that has ended does not have any more. */
const over = {
  lease: undefined,
  blockedBy: undefined,
  heldBy: undefined,
  pinnedTo: undefined,
  waiting: undefined,
  dueAt: undefined,
} satisfies Partial<Task>

export const finish = (
  task: Task,
  to: 'SUCCEEDED' | 'FAILED' | 'CANCELLED',
  now: number,
  change: Partial<Task>,
  why = {},
): Task => moveTo(task, to, now, { ...change, ...over, finishedAt: now }, why)

/** Any state that has not ended → `FAILED`, with one code. */
export const failNow = (task: Task, now: number, code: string, message: string): Task =>
  finish(task, 'FAILED', now, { failure: { code, message, retryable: false } }, { reason: code, message })
