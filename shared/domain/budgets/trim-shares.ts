import type { Platform } from '../../platform/platform.ts'
import { isFinished, type Task } from '../tasks/task.ts'
import type { Amounts, Share } from './pool.ts'
import { changeShares, type Planner } from './pool-store.ts'
import { aheadOf, spentBy, spentInChain, spentNames } from './spent.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>
type Trimmed = Pick<Task, 'tenant' | 'id' | 'pool'>

type Kept = (share: Share | undefined, spent: Amounts, head: Task) => Amounts

/** Nothing but what is to be kept, by what its head says that it has spent; an end is settled by others. */
const keeping =
  (kept: Kept): Planner =>
  (chain, shares, head) => {
    if (head === undefined || isFinished(head)) return new Map()
    const spent = [...spentInChain(chain, spentBy(head))]
    const held = spent.filter(([id, amounts]) => shares.has(id) || Object.values(amounts).some((amount) => amount > 0))
    return new Map(held.map(([id, amounts]) => [id, { held: kept(shares.get(id), amounts, head), partly: true }]))
  }

/** What is spent, or charged as such by a call that is under way; that of seconds is what an attempt has reserved. */
const atLeastCharged = (share: Share | undefined, spent: Amounts): Amounts => {
  const names = spentNames.filter((name) => spent[name] !== undefined)
  return Object.fromEntries(names.map((name) => [name, Math.max(spent[name] ?? 0, share?.charged?.[name] ?? 0)]))
}

const asItRuns: Kept = (share, spent, { status }) => (status === 'RUNNING' ? atLeastCharged(share, spent) : spent)

const trim = async (ports: Ports, { tenant, id, pool }: Trimmed, kept: Kept): Promise<void> => {
  if (pool !== undefined) await changeShares(ports, { tenant, pool, task: id, head: 'stored' }, keeping(kept))
}

/**
 * The shares of a task whose attempt has ended become what it has spent: the rest goes back, unless it runs again. What it
 * reports meanwhile changes its head: then it is looked at again, so that nothing goes back which is spent.
 */
export const trimShares = (ports: Ports, task: Trimmed): Promise<void> => trim(ports, task, asItRuns)

/** What a task that goes on took ahead goes back. */
export const takeBackAhead = (ports: Ports, task: Trimmed): Promise<void> => trim(ports, task, atLeastCharged)

/** Whether a share of a pool has something that its task took ahead. */
export const isAhead = (pool: string, share: Share, head: Task): boolean =>
  Object.keys(aheadOf(share, atLeastCharged(share, spentBy(head)), head.id === pool ? {} : head.budget)).length > 0
