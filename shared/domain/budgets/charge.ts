import type { Platform, Write } from '../../platform/platform.ts'
import type { Task, Usage } from '../tasks/task.ts'
import { addUsage } from '../tasks/usage-sum.ts'
import { findEnough } from './audit-pool.ts'
import { type AmountName, type Amounts, boundingPool, leftInChain, rounded } from './pool.ts'
import {
  changeShares,
  type Link,
  loadChain,
  type Plan,
  type Planner,
  type PlanOutcome,
  type Short,
  sharesOf,
} from './pool-store.ts'
import { aheadOf, spentBy, spentInChain, spentNames } from './spent.ts'
import { stepOf } from './step.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>
type Charged = Pick<Task, 'id' | 'tenant' | 'pool' | 'usage' | 'ranSeconds'>

const growing =
  (spent: Amounts): Planner =>
  (chain, shares) => {
    const pools = new Map(chain.map((link) => [link.id, link.stored.value]))
    const plan: Plan = new Map()
    for (const [id, held] of spentInChain(chain, spent)) {
      const [pool, share] = [pools.get(id), shares.get(id)]
      if (pool && (share || Object.values(held).some((amount) => amount > 0)))
        plan.set(id, { held, partly: true, growing: true, ahead: stepOf(pool, share, held) })
    }
    return plan
  }

/**
 * Records what a task has spent, up to what there is: in steps, so that what fits into the last one writes nothing. The
 * same again changes nothing: it is told how much in all, never how much more.
 */
const chargeShares = async (ports: Ports, { tenant, id, pool, ...rest }: Charged): Promise<PlanOutcome> => {
  const spent = spentBy(rest)
  const owner = { tenant, pool, task: id }
  return findEnough(ports, owner, () => changeShares(ports, owner, growing(spent)))
}

const namesOf = ({ short }: Pick<PlanOutcome, 'short'>): AmountName[] => short.map(({ name }) => name)

/** Records what a task has spent, up to what there is. Answers what there was too little of. */
export const charge = async (ports: Ports, task: Charged): Promise<AmountName[]> =>
  task.pool === undefined ? [] : namesOf(await chargeShares(ports, task))

/**
 * Charges what a completion will have spent; answers why it must not succeed, if so, and what must be true when it is
 * stored: what its head does not say yet, somebody may take for spent by nobody.
 */
export const chargeCompletion = async (
  ports: Ports,
  task: Task,
  usage: Usage | undefined,
): Promise<{ spent?: string; checks: Write[] }> => {
  if (task.pool === undefined) return { checks: [] }
  const elapsed = task.lease && !task.fanOut ? Math.max(0, ports.clock.now() - task.lease.since) / 1000 : 0
  const outcome = await chargeShares(ports, {
    ...task,
    usage: addUsage(task.usage, usage),
    ranSeconds: (task.ranSeconds ?? 0) + elapsed,
  })
  const names = namesOf(outcome)
  return { ...(names.length > 0 && { spent: spentMessage(names) }), checks: outcome.shares }
}

/** Why a task fails with `BUDGET`. */
export const spentMessage = (names: AmountName[]): string => `its budget of ${names.join(' and ')} is spent`

/** What is left for a task, by all pools that bound it, with what it took ahead; `undefined`: it has no budget. */
export const budgetLeft = async (ports: Pick<Platform, 'main'>, task: Charged): Promise<Amounts | undefined> =>
  task.pool === undefined ? undefined : leftOn(ports, task, await loadChain(ports, task.tenant, task.pool))

const leftOn = async (ports: Pick<Platform, 'main'>, task: Charged, chain: Link[]): Promise<Amounts> => {
  const left = leftInChain(chain.map(({ stored }) => stored.value))
  if (task.usage === undefined) return left
  const shares = await sharesOf(ports, { tenant: task.tenant, task: task.id }, chain)
  for (const [link, spent] of spentInChain(chain, spentBy(task)))
    for (const name of spentNames)
      if (left[name] !== undefined && spent[name] !== undefined)
        left[name] = rounded(left[name] + (aheadOf(shares.get(link)?.value ?? { held: {} }, spent)[name] ?? 0))
  return left
}

/** What a task cannot start without and of which nothing is left, after all that is over went back. */
export const nothingLeft = async (ports: Ports, task: Charged): Promise<{ left?: Amounts; none: AmountName[] }> => {
  const { tenant, id, pool } = task
  if (pool === undefined) return { none: [] }
  const { left, short } = await findEnough(ports, { tenant, task: id }, async () => {
    const chain = await loadChain(ports, tenant, pool)
    const left = await leftOn(ports, task, chain)
    return { left, chain, short: noneOf(left).flatMap((name) => shortOf(chain, name)) }
  })
  return { left, none: namesOf({ short }) }
}

/** Any amount is something to start with. */
const least = 1e-9

const noneOf = (left: Amounts): AmountName[] => spentNames.filter((name) => (left[name] ?? 1) <= 0)

const shortOf = (chain: Link[], name: AmountName): Short => {
  const pools = chain.map(({ stored }) => stored.value)
  const pool = pools[boundingPool(pools, name)]
  return pool === undefined ? [] : [{ pool, name, lacking: least }]
}
