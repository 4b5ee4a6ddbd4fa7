import type { Platform } from '../../platform/platform.ts'
import type { Task, Usage } from '../tasks/task.ts'
import { addUsage } from '../tasks/usage-sum.ts'
import { auditPool } from './audit-pool.ts'
import { type AmountName, type Amounts, leftInChain } from './pool.ts'
import { changeShares, loadChain, type Plan, type Planner } from './pool-store.ts'
import { spentBy, spentInChain, spentNames } from './spent.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>
type Charged = Pick<Task, 'id' | 'tenant' | 'pool' | 'usage' | 'ranSeconds'>

const growing =
  (spent: Amounts): Planner =>
  (chain, shares) => {
    const plan: Plan = new Map()
    for (const [id, held] of spentInChain(chain, spent))
      if (shares.has(id) || Object.values(held).some((amount) => amount > 0))
        plan.set(id, { held, partly: true, growing: true })
    return plan
  }

/**
 * Records what a task has spent, up to what there is. Answers what there was too little of. The same again changes
 * nothing: it is told how much in all, never how much more.
 */
export const charge = async (ports: Ports, { tenant, id, pool, ...rest }: Charged): Promise<AmountName[]> => {
  if (pool === undefined) return []
  const spent = spentBy(rest)
  const once = () => changeShares(ports, { tenant, pool, task: id }, growing(spent))
  const first = await once()
  if (first.short.length === 0) return []
  await Promise.all(first.chain.map((link) => auditPool(ports, tenant, link.id)))
  return (await once()).short.map(({ name }) => name)
}

/** Charges what a completion will have spent; answers why it must not succeed, if so. */
export const chargeCompletion = async (
  ports: Ports,
  task: Task,
  usage: Usage | undefined,
): Promise<string | undefined> => {
  if (task.pool === undefined) return undefined
  const elapsed = task.lease && !task.fanOut ? Math.max(0, ports.clock.now() - task.lease.since) / 1000 : 0
  const short = await charge(ports, {
    ...task,
    usage: addUsage(task.usage, usage),
    ranSeconds: (task.ranSeconds ?? 0) + elapsed,
  })
  return short.length > 0 ? spentMessage(short) : undefined
}

/** Why a task fails with `BUDGET`. */
export const spentMessage = (names: AmountName[]): string => `its budget of ${names.join(' and ')} is spent`

/** What is left for a task, by all pools that bound it; `undefined`: it has no budget. */
export const budgetLeft = async (
  ports: Pick<Platform, 'main'>,
  { tenant, pool }: Pick<Task, 'tenant' | 'pool'>,
): Promise<Amounts | undefined> => {
  if (pool === undefined) return undefined
  return leftInChain((await loadChain(ports, tenant, pool)).map(({ stored }) => stored.value))
}

/** What a task cannot start without and of which nothing is left, after all that is over went back. */
export const nothingLeft = async (
  ports: Ports,
  task: Pick<Task, 'tenant' | 'pool'>,
): Promise<{ left?: Amounts; none: AmountName[] }> => {
  const first = await budgetLeft(ports, task)
  if (first === undefined || noneOf(first).length === 0) return { left: first, none: [] }
  const chain = await loadChain(ports, task.tenant, task.pool)
  await Promise.all(chain.map((link) => auditPool(ports, task.tenant, link.id)))
  const left = (await budgetLeft(ports, task)) ?? {}
  return { left, none: noneOf(left) }
}

const noneOf = (left: Amounts): AmountName[] => spentNames.filter((name) => (left[name] ?? 1) <= 0)
