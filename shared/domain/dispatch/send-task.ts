import type { Platform, QueueMessage } from '../../platform/platform.ts'
import { isUnmet } from '../tasks/holders.ts'
import type { Task } from '../tasks/task.ts'
import { laneQueue } from './lanes.ts'
import { isChoosy, placeTask, type Wished } from './place-task.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random' | 'queues' | 'telemetry'>

/** The message of a queued task: earlier deadlines first among equals, and for the instance that it is pinned to. */
export const messageOf = ({ id, fairnessKey, deadline, pinnedTo }: Task): QueueMessage => ({
  body: id,
  group: fairnessKey,
  order: deadline,
  ...(pinnedTo !== undefined && { for: pinnedTo }),
})

/** Whether there is a lane for it. */
export const isSendable = (task: Task): task is Task & Required<Pick<Task, 'target'>> =>
  task.status === 'QUEUED' && task.target !== undefined && !isUnmet(task)

/**
 * Puts the id of a queued task on its lane, for the instance that it must go to. A failure is logged and answered
 * `false`, never thrown: the record is the truth, and the sweep sends again what a queue lost.
 */
export const sendTask = async (ports: Ports, task: Task, wished?: Wished): Promise<boolean> => {
  try {
    return await sendPlaced(ports, await placeTask(ports, task, wished))
  } catch (error) {
    return unsent(ports, task, error)
  }
}

/** The same of a task whose place was just found. */
export const sendPlaced = async (ports: Pick<Ports, 'queues' | 'telemetry'>, task: Task): Promise<boolean> => {
  if (!isSendable(task)) return false
  try {
    await ports.queues.send(laneQueue(task.tenant, task.target, task.priority), [messageOf(task)])
    return true
  } catch (error) {
    return unsent(ports, task, error)
  }
}

/** Whether a queued task cannot be waiting in its lane, since nothing does; what cannot be told counts as empty. */
export const isMissing = async ({ queues }: Pick<Ports, 'queues'>, task: Task): Promise<boolean> => {
  if (!isSendable(task) || isChoosy(task)) return true // its place may be another by now
  const depth = await queues.depth(laneQueue(task.tenant, task.target, task.priority)).catch(() => undefined)
  return (depth?.waiting ?? 0) === 0
}

/** Leads a task on that an instance received and may not do; `elsewhere`: its message is for that one already. */
export const passOn = async (ports: Ports, task: Task): Promise<'elsewhere' | undefined> => {
  const next = await placeTask(ports, task)
  const isThere = next.pinnedTo === task.pinnedTo && next.target?.agent === task.target?.agent
  if (isThere && isSendable(next)) return 'elsewhere'
  await sendPlaced(ports, next)
  return undefined
}

const unsent = ({ telemetry }: Pick<Ports, 'telemetry'>, task: Task, error: unknown): false => {
  telemetry.log('warn', 'a task was not sent; the sweep will send it', { task: task.id, error: String(error) })
  return false
}
