import type { Platform, Write } from '../../platform/platform.ts'
import { openShares, requireLeft } from '../budgets/open-shares.ts'
import { addChild, removeChild } from './child-count.ts'
import type { Task } from './task.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random'>

/**
 * A place among its parent's children and a share of the budget above it, or neither. Answers what must be true of these
 * when the task is stored.
 */
export const admitChild = async (ports: Ports, task: Task, pool: string | undefined): Promise<Write[]> => {
  if (task.retryOf !== undefined) await requireLeft(ports, task, pool)
  await addChild(ports, task)
  try {
    return await openShares(ports, task, pool)
  } catch (error) {
    await removeChild(ports, task)
    throw error
  }
}
