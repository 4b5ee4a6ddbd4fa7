import type { Platform, Write } from '../../platform/platform.ts'
import type { Task, Usage } from '../tasks/task.ts'
import { ranSecondsAt } from '../tasks/task-transition.ts'
import { addUsage } from '../tasks/usage-sum.ts'
import { findEnough } from './audit-pool.ts'
import type { AmountName, Amounts } from './pool.ts'
import { changeShares, type Plan, type Planner, type PlanOutcome } from './pool-store.ts'
import { spentBy, spentInChain } from './spent.ts'
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

/** `spent`: why it must not go on. `checks`: what must be true when what was charged is stored in its head. */
type Charge = { spent?: string; checks: Write[] }

const chargeOf = (outcome: PlanOutcome): Charge => {
  const names = outcome.short.map(({ name }) => name)
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
  const ranSeconds = ranSecondsAt(task, ports.clock.now())
  return chargeOf(await chargeShares(ports, { ...task, usage: addUsage(task.usage, usage), ranSeconds }))
}

/** Why a task fails with `BUDGET`. */
export const spentMessage = (names: AmountName[]): string => `its budget of ${names.join(' and ')} is spent`
