import type { Platform } from '../../platform/platform.ts'
import type { Task } from '../tasks/task.ts'
import { laneQueue } from './lanes.ts'

/**
 * Puts the id of a queued task on its lane. A failure is logged and answered `false`, never thrown: the record is the
 * truth, and the sweep sends again what a queue lost.
 */
export const sendTask = async (
  { queues, telemetry }: Pick<Platform, 'queues' | 'telemetry'>,
  task: Task,
): Promise<boolean> => {
  if (task.target === undefined || task.status !== 'QUEUED') return false
  try {
    await queues.send(laneQueue(task.tenant, task.target, task.priority), [{ body: task.id, group: task.fairnessKey }])
    return true
  } catch (error) {
    telemetry.log('warn', 'a task was not sent; the sweep will send it', { task: task.id, error: String(error) })
    return false
  }
}
