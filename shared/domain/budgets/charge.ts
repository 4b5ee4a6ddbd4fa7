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

/** `spent`: why it must not go on. `checks`: what must be true when what was charged is stored in its head. */
type Charge = { spent?: string; checks: Write[] }

const chargeOf = (outcome: PlanOutcome): Charge => {
  const names = namesOf(outcome)
  return { ...(names.length > 0 && { spent: spentMessage(names) }), checks: outcome.shares }
}

/**
 * Charges what a task will have spent with a report. `owes`: it could not be charged, which is nothing to who reports it
 * and made good by the next one, or the end. A task that owes already is not taken anything more from: then it throws.
 */
export const chargeReport = async (
  { telemetry, ...ports }: Ports & Pick<Platform, 'telemetry'>,
  task: Task,
): Promise<Charge & { owes?: true }> => {
  if (task.pool === undefined) return { checks: [] }
  try {
    return chargeOf(await chargeShares(ports, task))
  } catch (error) {
    if (task.owes) throw error
    telemetry.log('warn', 'what was reported is charged later', { task: task.id, error: String(error) })
    return { checks: [], owes: true }
  }
}

/**
 * Charges what a completion will have spent; answers why it must not succeed, if so, and what must be true when it is
 * stored: what its head does not say yet, somebody may take for spent by nobody.
 */
export const chargeCompletion = async (ports: Ports, task: Task, usage: Usage | undefined): Promise<Charge> => {
  if (task.pool === undefined) return { checks: [] }
  const elapsed = task.lease && !task.fanOut ? Math.max(0, ports.clock.now() - task.lease.since) / 1000 : 0
  const ranSeconds = (task.ranSeconds ?? 0) + elapsed
  return chargeOf(await chargeShares(ports, { ...task, usage: addUsage(task.usage, usage), ranSeconds }))
}

/** Why a task fails with `BUDGET`. */
export const spentMessage = (names: AmountName[]): string => `its budget of ${names.join(' and ')} is spent`

/** What is left for a task, by all pools that bound it, with what it took ahead; `undefined`: it has no budget. */
export const budgetLeft = async (ports: Pick<Platform, 'main'>, task: Charged): Promise<Amounts | undefined> =>
  task.pool === undefined ? undefined : leftOn(ports, task, await loadChain(ports, task.tenant, task.pool))

const leftOn = async (ports: Pick<Platform, 'main'>, task: Charged, chain: Link[]): Promise<Amounts> => {
  const left = leftInChain(chain.map(({ stored }) => stored.value))
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
