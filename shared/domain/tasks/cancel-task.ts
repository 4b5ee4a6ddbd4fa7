import type { Platform } from '../../platform/platform.ts'
import { actorOf, type Caller, stamp } from '../caller.ts'
import { orThrow } from '../domain-error.ts'
import type { Task } from './task.ts'
import { cancelTask as cancel } from './task-moves.ts'
import { changeTask, getTask } from './task-store.ts'

/** Ends a task that has not ended; its holder is told with its next call. */
export const cancelTask = async (
  ports: Pick<Platform, 'main' | 'volatile' | 'queues' | 'telemetry' | 'clock' | 'random'>,
  caller: Caller,
  id: string,
): Promise<Task> => {
  const start = await getTask(ports, caller.tenant, id)
  const by = actorOf(caller)
  const changed = await changeTask(ports, start, (task) => {
    const next = orThrow(cancel(task, { now: ports.clock.now(), by }))
    return { task: next === task ? task : { ...next, stamp: stamp(caller, 'task.cancel') }, answer: undefined }
  })
  return changed.task
}
