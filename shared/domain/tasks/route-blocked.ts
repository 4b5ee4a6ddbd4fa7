import type { Platform } from '../../platform/platform.ts'
import { systemStamp } from '../caller.ts'
import { findTarget } from '../dispatch/find-target.ts'
import { sendTask } from '../dispatch/send-task.ts'
import { routeTask } from './task-moves.ts'
import { changeTask, findTask } from './task-store.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random' | 'queues' | 'telemetry'>

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
