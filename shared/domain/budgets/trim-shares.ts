import type { Platform } from '../../platform/platform.ts'
import { isFinished, type Task } from '../tasks/task.ts'
import type { Amounts, Share } from './pool.ts'
import { changeShares, type Planner } from './pool-store.ts'
import { aheadOf, spentBy, spentInChain, spentNames } from './spent.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>
type Trimmed = Pick<Task, 'tenant' | 'id' | 'pool'>

/** What its head says that it has spent, and nothing ahead of that; an end is settled by others. */
const exactly =
  (kept: (share: Share | undefined, spent: Amounts) => Amounts): Planner =>
  (chain, shares, head) => {
    if (head === undefined || isFinished(head)) return new Map()
    const spent = [...spentInChain(chain, spentBy(head))]
    const held = spent.filter(([id, amounts]) => shares.has(id) || Object.values(amounts).some((amount) => amount > 0))
    return new Map(held.map(([id, amounts]) => [id, { held: kept(shares.get(id), amounts), partly: true }]))
  }

/** What is spent, or charged as such by a call that is under way. */
const atLeastCharged = (share: Share | undefined, spent: Amounts): Amounts => {
  const names = spentNames.filter((name) => spent[name] !== undefined)
  return Object.fromEntries(names.map((name) => [name, Math.max(spent[name] ?? 0, share?.charged?.[name] ?? 0)]))
}

const trim = async (ports: Ports, { tenant, id, pool }: Trimmed, planner: Planner): Promise<void> => {
  if (pool !== undefined) await changeShares(ports, { tenant, pool, task: id, head: 'stored' }, planner)
}

/**
 * The shares of a task whose attempt has ended become what it has spent: the rest goes back, unless it runs again. What it
 * reports meanwhile changes its head: then it is looked at again, so that nothing goes back which is spent.
 */
export const trimShares = (ports: Ports, task: Trimmed): Promise<void> =>
  trim(ports, task, (chain, shares, head) =>
    exactly(head?.status === 'RUNNING' ? atLeastCharged : (_, spent) => spent)(chain, shares, head),
  )

/** What a task that goes on took ahead goes back. */
export const takeBackAhead = (ports: Ports, task: Trimmed): Promise<void> => trim(ports, task, exactly(atLeastCharged))

/** Whether a share of a pool has something that its task took ahead. */
export const isAhead = (pool: string, share: Share, head: Task): boolean =>
  Object.keys(aheadOf(share, atLeastCharged(share, spentBy(head)), head.id === pool ? {} : head.budget)).length > 0
