import type { Platform } from '../../platform/platform.ts'
import type { Task } from '../tasks/task.ts'
import { describeLimit } from './limit.ts'
import { findLimit } from './limits-store.ts'
import { holdersOf } from './places.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock'>

/** The limit that holds a task, and some of the tasks that have its places. */
export const holdingLimit = async (
  ports: Ports,
  { tenant, heldBy }: Pick<Task, 'tenant' | 'heldBy'>,
): Promise<{ name: string; allowed: string; holders: string[] } | undefined> => {
  if (heldBy === undefined) return undefined
  const [limit, holders] = await Promise.all([findLimit(ports, tenant, heldBy), holdersOf(ports, tenant, heldBy)])
  return limit && { name: limit.name, allowed: describeLimit(limit), holders }
}
