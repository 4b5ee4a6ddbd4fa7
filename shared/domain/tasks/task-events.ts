import type { Item, Platform } from '../../platform/platform.ts'
import { isFinished, type Task } from './task.ts'
import { taskPk } from './task-store.ts'

export type TaskEventType = 'task.state' | 'task.progress' | 'task.output' | 'task.log'
/** `time` in milliseconds. */
export type TaskEvent = { seq: number; type: TaskEventType; time: number; data: Record<string, unknown> }

const prefix = 'event#'
const eventSk = (seq: number): string => `${prefix}${String(seq).padStart(10, '0')}`

/**
 * One item for consecutive events, keyed by the last of them, so that a read after any number finds all that follow;
 * then by the first, so that a part that is projected again never takes the place of the whole.
 */
export const eventsItem = (task: Pick<Task, 'tenant' | 'id'>, events: [TaskEvent, ...TaskEvent[]]): Item => {
  const [first, last] = [events[0].seq, events.at(-1)?.seq ?? 0]
  const sk = first === last ? eventSk(last) : `${eventSk(last)}#${String(first).padStart(10, '0')}`
  return { pk: taskPk(task.tenant, task.id), sk, type: 'event', value: { events } }
}

/** The event of a task's latest change of state. */
export const stateEvent = (task: Task): TaskEvent => ({
  seq: task.transition.seq,
  type: 'task.state',
  time: task.transition.at,
  data: {
    status: task.transition.to,
    ...(task.transition.from && { from: task.transition.from }),
    attempt: task.attempt,
    agent: task.target?.agentName ?? null,
    version: task.target?.version ?? null,
    ...(task.lease && { instance: task.lease.instance }),
    ...(task.transition.reason && { reason: task.transition.reason }),
    ...(task.transition.message && { message: task.transition.message }),
    ...(task.blockedBy && { blockedBy: task.blockedBy }),
    ...(task.status === 'FAILED' && { failure: task.failure }),
    ...(task.status === 'SCHEDULED' &&
      task.dueAt !== undefined && { nextAttemptAt: new Date(task.dueAt).toISOString() }),
  },
})

/**
 * Up to `limit` events after `after`, ascending and without a gap: what the projector has not written yet ends the
 * page, except the latest change of state, which the head itself tells.
 */
export const readEvents = async (
  { main }: Pick<Platform, 'main'>,
  { task, after, limit }: { task: Task; after: number; limit: number },
): Promise<TaskEvent[]> => {
  const pk = taskPk(task.tenant, task.id)
  const page = await main.query<{ events: TaskEvent[] }>({ pk, after: `${eventSk(after)}~`, prefix, limit })
  const stored = inOrder(
    page.items.flatMap(({ value }) => value.events),
    after,
  )
  const all =
    page.cursor === undefined && task.transition.seq > (stored.at(-1)?.seq ?? after)
      ? [...stored, stateEvent(task)]
      : stored
  const gap = all.findIndex(({ seq }, at) => seq !== after + 1 + at)
  return (gap === -1 ? all : all.slice(0, gap)).slice(0, limit)
}

/** Each once: what was projected again may stand in two items. */
const inOrder = (events: TaskEvent[], after: number): TaskEvent[] => {
  const known = new Map(events.map((event) => [event.seq, event]))
  return [...known.values()].filter(({ seq }) => seq > after).sort((a, b) => a.seq - b.seq)
}

/** Whether an event is the last one a task will ever have. */
export const isLast = (task: Task, seq: number): boolean => isFinished(task) && seq >= task.seq
