import type { Platform, Stored } from '../../platform/platform.ts'
import { isFinished, type Task } from './task.ts'
import { findTask, taskKey } from './task-store.ts'

/** The task as soon as it has ended, or as it is when the time is over or the client has gone. */
export const waitForEnd = async (
  { main, clock }: Pick<Platform, 'main' | 'clock'>,
  task: Task,
  { seconds, signal }: { seconds: number; signal?: AbortSignal },
): Promise<Task> => {
  const until = clock.now() + seconds * 1000
  let current: Stored<Task> | undefined = await findTask({ main }, task.tenant, task.id)
  while (current && !isFinished(current.value) && clock.now() < until && !signal?.aborted)
    current = await main.waitForChange<Task>(taskKey(task.tenant, task.id), current.rev, until - clock.now())
  return current?.value ?? task
}
