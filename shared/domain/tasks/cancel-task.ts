import type { Platform } from '../../platform/platform.ts'
import { closeApprovalOf } from '../approvals/close-approval.ts'
import { actorOf, type Caller, stamp } from '../caller.ts'
import { orThrow } from '../domain-error.ts'
import { tellCancelled } from '../instances/tell-cancelled.ts'
import type { Task } from './task.ts'
import { cancelTask as cancel } from './task-moves.ts'
import { changeTask, getTask } from './task-store.ts'

/**
 * Ends a task that has not ended; its holder is told at once where it holds a heartbeat, else with its next call. The
 * approval that it waited for is closed with it.
 */
export const cancelTask = async (
  ports: Pick<Platform, 'main' | 'volatile' | 'queues' | 'telemetry' | 'clock' | 'random'>,
  caller: Caller,
  id: string,
  reason?: string,
): Promise<Task> => {
  const start = await getTask(ports, caller.tenant, id)
  const by = reason === undefined ? actorOf(caller) : `${actorOf(caller)}: ${reason}`
  const { task, answer: before } = await changeTask(ports, start, (current) => {
    const next = orThrow(cancel(current, { now: ports.clock.now(), by }))
    const changed = next === current ? current : { ...next, stamp: stamp(caller, 'task.cancel') }
    return { task: changed, answer: current }
  })
  await tellCancelled(ports, before)
  await closeApprovalOf(ports, before, task).catch(() => undefined) // the task has ended: the stream closes it too
  return task
}
