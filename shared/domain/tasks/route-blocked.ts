import type { Platform } from '../../platform/platform.ts'
import { systemStamp } from '../caller.ts'
import { routeAgain } from '../dispatch/route-again.ts'
import { sendTask } from '../dispatch/send-task.ts'
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
  if (start.value.capability === undefined) return
  const routed = await routeAgain(ports, start.value)
  const { task } = await changeTask(ports, start, (current) => {
    const next = routed(current)
    return { task: next === current ? current : { ...next, stamp: systemStamp('task.route') }, answer: undefined }
  })
  await sendTask(ports, task)
}
