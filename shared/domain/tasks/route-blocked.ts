import type { Platform } from '../../platform/platform.ts'
import { systemStamp } from '../caller.ts'
import { findTarget } from '../dispatch/find-target.ts'
import { sendTask } from '../dispatch/send-task.ts'
import type { Task } from './task.ts'
import { routeTask } from './task-moves.ts'
import { changeTask, findTask } from './task-store.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random' | 'queues' | 'telemetry'>

/**
 * Gives a task that nobody could do to whoever can now, if anybody does. One that waits for an instance with the labels
 * that it requires is sent when there is one.
 */
export const routeBlocked = async (ports: Ports, tenant: string, id: string): Promise<void> => {
  const start = await findTask(ports, tenant, id)
  if (start === undefined) return
  if (start.value.target !== undefined) return void (await sendTask(ports, start.value))
  const { capability, requirements, labels, root = id } = start.value
  if (capability === undefined) return
  const { target, routing, blockedBy } = await findTarget(ports, tenant, capability, { requirements, labels, root })
  const { task } = await changeTask(ports, start, (current) => {
    const next = target === undefined ? explained(current, blockedBy) : routed(current, target, routing)
    return { task: next === current ? current : { ...next, stamp: systemStamp('task.route') }, answer: undefined }
  })
  await sendTask(ports, task)
}

const waits = ({ target, status }: Task): boolean =>
  target === undefined && (status === 'QUEUED' || status === 'SCHEDULED')

const routed = (task: Task, target: Task['target'], routing: Task['routing']): Task =>
  waits(task) ? { ...routeTask(task, target), routing } : task

/** Who offers its capability may have changed, and with that what it waits for. */
const explained = (task: Task, blockedBy: Task['blockedBy']): Task =>
  waits(task) && task.blockedBy?.message !== blockedBy?.message ? { ...task, blockedBy } : task
