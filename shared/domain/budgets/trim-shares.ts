import type { Platform } from '../../platform/platform.ts'
import { isFinished, type Task } from '../tasks/task.ts'
import type { Share } from './pool.ts'
import { changeShares, type Planner } from './pool-store.ts'
import { aheadOf, spentBy, spentInChain } from './spent.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

/** What its head says that it has spent, and nothing ahead of that; an end is settled by others. */
const exactly: Planner = (chain, shares, head) => {
  if (head === undefined || isFinished(head)) return new Map()
  const spent = [...spentInChain(chain, spentBy(head))]
  const held = spent.filter(([id, amounts]) => shares.has(id) || Object.values(amounts).some((amount) => amount > 0))
  return new Map(held.map(([id, amounts]) => [id, { held: amounts, partly: true }]))
}

/**
 * The shares of a task that goes on become what it has spent: what it took ahead goes back. What it reports meanwhile
 * changes its head: then it is looked at again, so that nothing goes back which is spent.
 */
export const trimShares = async (ports: Ports, { tenant, id, pool }: Pick<Task, 'tenant' | 'id' | 'pool'>) => {
  if (pool !== undefined) await changeShares(ports, { tenant, pool, task: id, head: 'stored' }, exactly)
}

/** Whether a share of a pool has something that its task took ahead. */
export const isAhead = (pool: string, share: Share, head: Task): boolean =>
  Object.keys(aheadOf(share, spentBy(head), head.id === pool ? {} : head.budget)).length > 0
