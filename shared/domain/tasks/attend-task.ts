import type { Platform } from '../../platform/platform.ts'
import { systemStamp } from '../caller.ts'
import { remind } from '../dispatch/due.ts'
import { findTarget } from '../dispatch/find-target.ts'
import { sendTask } from '../dispatch/send-task.ts'
import { isAlive } from '../instances/end-instance.ts'
import type { Task } from './task.ts'
import { loseLease, passTime, routeTask } from './task-moves.ts'
import { changeTask, findTask } from './task-store.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random' | 'queues' | 'telemetry'>

/** Does what time asks of a task: start it, time it out, end it at its deadline, send it again, take it from the dead. */
export const attendTask = async (ports: Ports, tenant: string, id: string): Promise<void> => {
  const start = await findTask(ports, tenant, id)
  if (start === undefined) return
  const holder = start.value.status === 'RUNNING' ? start.value.lease?.instance : undefined
  const holderGone = holder !== undefined && !(await isAlive(ports, tenant, holder))
  const random = ports.random.number()
  const { task } = await changeTask(ports, start, (current) => {
    const next = moved(ports, current, holderGone ? holder : undefined, random)
    return { task: next === current ? current : { ...next, stamp: systemStamp('task.attend') }, answer: undefined }
  })
  if (task === start.value) return
  if (task.status === 'QUEUED' && task.target === undefined) await routeBlocked(ports, tenant, id)
  else await sendTask(ports, task)
  if (task.status === 'SCHEDULED' && task.dueAt !== undefined) await remind(ports, { tenant, id, at: task.dueAt })
}

const moved = (ports: Ports, task: Task, deadHolder: string | undefined, random: number): Task => {
  const now = ports.clock.now()
  const lost = deadHolder !== undefined && task.status === 'RUNNING' && task.lease?.instance === deadHolder
  return lost
    ? loseLease(task, { now, message: `instance ${deadHolder}: no sign of life` })
    : passTime(task, { now, random })
}

/** Gives a task that nobody could do to whoever offers its capability now, if anybody does. */
export const routeBlocked = async (ports: Ports, tenant: string, id: string): Promise<void> => {
  const start = await findTask(ports, tenant, id)
  const capability = start?.value.capability
  if (start === undefined || capability === undefined || start.value.target !== undefined) return
  const target = await findTarget(ports, tenant, capability)
  if (target === undefined) return
  const { task } = await changeTask(ports, start, (current) => {
    const open = current.target === undefined && (current.status === 'QUEUED' || current.status === 'SCHEDULED')
    const next = open ? { ...routeTask(current, target), stamp: systemStamp('task.route') } : current
    return { task: next, answer: undefined }
  })
  await sendTask(ports, task)
}
