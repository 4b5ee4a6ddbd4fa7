import type { Platform } from '../../platform/platform.ts'
import { compete } from '../contention.ts'
import { isFinished, type Task } from '../tasks/task.ts'
import { type Amounts, amountNames, type Pool, type ShareChange } from './pool.ts'
import { changeShares, findPool, type Link, loadChain, markPool, type Plan, type Planner } from './pool-store.ts'
import { linkOf, spentBy, spentInChain } from './spent.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

/**
 * A task has ended: its shares are what it spent, and do not change any more. The rest of its own pool goes back as
 * soon as nothing below it can spend of it. May be repeated.
 */
export const finishShares = async (ports: Ports, task: Task): Promise<void> => {
  const { tenant, id, pool } = task
  if (pool === undefined || !isFinished(task)) return
  await changeShares(ports, { tenant, pool, task: id }, finishing(task))
  await settlePool(ports, tenant, pool)
  if (pool === id) await lookLater(ports, tenant, id)
}

/** Long enough for whoever opened a share to have stored its task. */
export const settledMs = 30_000
/** As often as a pool is looked at whose shares are of tasks that go on. */
const lookMs = 600_000

/** A share whose task was never stored keeps the pool of an ended task open: it is looked for. */
const lookLater = (ports: Ports, tenant: string, id: string): Promise<void> =>
  compete<void>(ports, `the budget of task ${id}`, async () => {
    const stored = await findPool(ports, tenant, id)
    if (stored === undefined || stored.value.open === 0 || stored.value.dueAt !== undefined) return { done: undefined }
    const dueAt = ports.clock.now() + settledMs
    return (await markPool(ports, tenant, { id, stored }, { dueAt })) ? { done: undefined } : undefined
  })

/** Whether it is time to look through the pool of an ended task: by whoever is told so, and later again. */
export const takeLook = async (ports: Ports, tenant: string, id: string): Promise<boolean> => {
  const stored = await findPool(ports, tenant, id)
  const now = ports.clock.now()
  if (stored === undefined || stored.value.open === 0 || (stored.value.dueAt ?? now + 1) > now) return false
  return markPool(ports, tenant, { id, stored }, { dueAt: now + lookMs })
}

/** Above its own pool, a task's shares stay open for what that pool reserved. */
const finishing =
  (task: Task): Planner =>
  (chain, shares) => {
    const spent = spentInChain(chain, spentBy(task))
    const own = chain[0]?.id === task.id
    const plan: Plan = new Map()
    for (const [at, { id }] of chain.entries()) {
      const held = spent.get(id) ?? {}
      if (!shares.has(id) && !Object.values(held).some((amount) => amount > 0)) continue
      plan.set(id, { held, partly: true, close: !own || at === 0 })
    }
    return plan
  }

/** What was kept for a pool becomes what was used of it. */
const returning =
  (pool: Pool): Planner =>
  (chain: Link[], shares) => {
    const plan: Plan = new Map([...shares.keys()].map((id): [string, ShareChange] => [id, { held: {}, close: true }]))
    for (const name of amountNames) {
      const link = linkOf(chain, name)
      if (link === undefined || pool.bounds[name] === undefined || !shares.has(link.id)) continue
      const amount = (pool.used[name] ?? 0) + (name === 'children' ? 1 : 0)
      plan.set(link.id, { held: { ...plan.get(link.id)?.held, [name]: amount } as Amounts, close: true })
    }
    return plan
  }

/**
 * Gives the rest of a pool, and then of each above it, back to those above them, once nothing can spend of it any more.
 * Each is looked at once: what is left of one can only be what the next ones wait for.
 */
export const settlePool = async (ports: Ports, tenant: string, id: string): Promise<void> => {
  for (const link of await loadChain(ports, tenant, id)) await settleOne(ports, tenant, link.id)
}

const settleOne = async (ports: Ports, tenant: string, id: string): Promise<void> => {
  const pool = await compete<Pool | undefined>(ports, `the budget of task ${id}`, async () => {
    const stored = await findPool(ports, tenant, id)
    if (stored === undefined || stored.value.open > 0) return { done: undefined }
    const isClosed = stored.value.closed || (await markPool(ports, tenant, { id, stored }, { closed: true }))
    return isClosed ? { done: stored.value } : undefined
  })
  if (pool?.above === undefined) return
  await changeShares(ports, { tenant, pool: pool.above, task: id }, returning(pool))
}
