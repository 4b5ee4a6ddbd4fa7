import type { Platform } from '../../platform/platform.ts'
import type { Task } from '../tasks/task.ts'
import { describeLimit, type NamedLimit } from './limit.ts'
import { findLimit, limitsOfTask } from './limits-store.ts'
import { holdersOf, placesTaken } from './places.ts'
import { tokensOf } from './tokens.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock'>

/** A limit in the way of a task: some of the tasks that have its places, or when its next start comes (ms). */
export type HoldingLimit = { code: 'LIMIT' | 'RATE'; name: string; allowed: string; holders: string[]; at?: number }

/** The limit that holds a task, or the one that would if it were leased now; nothing is taken of it. */
export const holdingLimit = async (ports: Ports, task: Task): Promise<HoldingLimit | undefined> => {
  const { tenant, heldBy, blockedBy } = task
  if (heldBy === undefined) return inTheWay(ports, task)
  const limit = await findLimit(ports, tenant, heldBy)
  return (
    limit && describe(ports, tenant, limit, { code: blockedBy?.code === 'RATE' ? 'RATE' : 'LIMIT', at: task.dueAt })
  )
}

const describe = async (
  ports: Ports,
  tenant: string,
  limit: NamedLimit,
  { code, at }: Pick<HoldingLimit, 'code' | 'at'>,
): Promise<HoldingLimit> => ({
  code,
  name: limit.name,
  allowed: describeLimit(limit),
  holders: await holdersOf(ports, tenant, limit.id),
  ...(code === 'RATE' && { at }),
})

/** As a lease asks them: places of all first, then starts. */
const inTheWay = async (ports: Ports, task: Task): Promise<HoldingLimit | undefined> => {
  const { tenant } = task
  const limits = await limitsOfTask(ports, task)
  for (const limit of limits) {
    const { id, concurrency } = limit
    if (concurrency !== undefined && (await placesTaken(ports, tenant, id)) >= concurrency)
      return describe(ports, tenant, limit, { code: 'LIMIT' })
  }
  for (const limit of limits) {
    const { id, rate } = limit
    const { left, at } = rate ? await tokensOf(ports, { tenant, limit: id, rate }) : { left: 1, at: 0 }
    if (left + 0.001 < 1) return describe(ports, tenant, limit, { code: 'RATE', at })
  }
  return undefined
}
