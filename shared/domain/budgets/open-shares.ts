import type { Item, Platform, Write } from '../../platform/platform.ts'
import { DomainError, type FieldError } from '../domain-error.ts'
import type { Budget, Task } from '../tasks/task.ts'
import { findEnough } from './audit-pool.ts'
import { nothingLeft } from './left.ts'
import { type AmountName, type Amounts, amountNames, leftOf, type Pool, type ShareChange } from './pool.ts'
import { changeShares, type Link, type Plan, type Planner, poolItem, shareItem } from './pool-store.ts'
import { linkOf } from './spent.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

const boundsOf = (budget: Budget): Amounts =>
  Object.fromEntries(amountNames.flatMap((name) => (budget[name] === undefined ? [] : [[name, budget[name]]])))

/** The pool of a new task with a budget of its own, to be stored with its head; the task itself has the first share. */
export const ownPool = ({ id, tenant, budget, createdAt }: Task, above: string | undefined): Item[] =>
  budget === undefined
    ? []
    : [
        poolItem(tenant, id, { bounds: boundsOf(budget), used: {}, open: 1, above }),
        shareItem(tenant, { pool: id, task: id }, { held: {}, open: true, since: createdAt }),
      ]

/** One place among the children, and what the task's own pool reserves: each from the pool that bounds it. */
const planFor =
  (bounds: Amounts): Planner =>
  (chain) => {
    const plan: Plan = new Map()
    const [nearest] = chain
    if (nearest === undefined) return plan
    plan.set(nearest.id, { held: {} })
    for (const name of amountNames) {
      const link = linkOf(chain, name)
      const amount = (bounds[name] ?? 0) + (name === 'children' ? 1 : 0)
      if (link === undefined || amount === 0) continue
      const change: ShareChange = plan.get(link.id) ?? { held: {} }
      plan.set(link.id, { held: { ...change.held, [name]: amount } })
    }
    return plan
  }

/** Not for shares that are there already: the task was submitted before. */
const onceEach =
  (planner: Planner): Planner =>
  (chain, shares) =>
    new Map([...planner(chain, shares)].filter(([id]) => !shares.has(id)))

/**
 * Gives a new child its share of the budget above it, before it is stored: a place among the children, and all of its
 * own budget. Too little is a `BUDGET` refusal that names what. Answers what must be true when the task is stored.
 */
export const openShares = async (ports: Ports, task: Task, above: string | undefined): Promise<Write[]> => {
  if (above === undefined) return []
  const { tenant, id } = task
  const planner = onceEach(planFor(boundsOf(task.budget ?? {})))
  const owner = { tenant, pool: above, task: id }
  const { short, chain, shares } = await findEnough(ports, owner, () =>
    changeShares(ports, owner, refuseClosed(planner)),
  )
  if (short.length > 0) throw refusal(short, task, chain)
  return shares
}

/** Refuses what would have nothing of the budget above it to start with. */
export const requireLeft = async (ports: Ports, task: Task, above: string | undefined): Promise<void> => {
  const { none } = await nothingLeft(ports, { id: task.id, tenant: task.tenant, pool: above })
  if (none.length === 0) return
  const message = `nothing is left of ${none.join(' and ')} in the budget above task ${task.retryOf ?? task.id}`
  throw new DomainError('BUDGET', message)
}

const refuseClosed =
  (planner: Planner): Planner =>
  (chain, shares) => {
    if (chain[0]?.stored.value.closed)
      throw new DomainError('ALREADY_FINISHED', `the budget of task ${chain[0].id} is closed; it takes no children`)
    return planner(chain, shares)
  }

const refusal = (short: { pool: Pool; name: AmountName }[], task: Task, chain: Link[]): DomainError => {
  const errors = short.map(({ pool, name }): FieldError => {
    const wanted = (task.budget?.[name] ?? 0) + (name === 'children' ? 1 : 0)
    const owner = chain.find(({ stored }) => stored.value === pool)?.id ?? task.parent
    const message = `${asked(wanted, name)}, and the budget of task ${owner} has ${leftOf(pool, name)} left`
    return { pointer: pointerOf(task, name), code: 'BUDGET', message }
  })
  return new DomainError('BUDGET', errors.map(({ message }) => message).join('; '), errors)
}

const asked = (wanted: number, name: AmountName): string =>
  name === 'children' && wanted === 1 ? 'a child is asked for' : `${wanted} ${name} are asked for`

/** A retry names neither: it asks for what was asked for then. */
const pointerOf = ({ retryOf, budget }: Task, name: AmountName): string => {
  if (retryOf !== undefined) return '#'
  return budget?.[name] === undefined ? '#/parent' : `#/budget/${name}`
}
