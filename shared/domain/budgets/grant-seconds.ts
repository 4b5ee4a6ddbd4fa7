import type { Platform } from '../../platform/platform.ts'
import { taskKey } from '../keys.ts'
import type { Task } from '../tasks/task.ts'
import { boundingPool, leftOf, type Pool, type Share } from './pool.ts'
import { changeShares, type Link, loadChain, openSharesOf, type Planner } from './pool-store.ts'
import { spentBy } from './spent.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>
type Runner = Pick<Task, 'id' | 'tenant' | 'pool' | 'usage' | 'ranSeconds'>

/** So much of what is left at a time, so that others find something too; but not so little that it ends at once. */
const partOfLeft = 1 / 4
const leastSeconds = 1

const secondsLink = (chain: Link[]): Link | undefined => {
  const pools = chain.map(({ stored }) => stored.value)
  return chain[boundingPool(pools, 'seconds')]
}

/** What its share is to hold for an attempt of a task that has run for so long. */
const grantOf = (pool: Pool, share: Share | undefined, ran: number): number => {
  const held = Math.max(share?.held.seconds ?? 0, 0)
  const room = (leftOf(pool, 'seconds') ?? 0) + Math.max(0, held - ran)
  return Math.max(held, ran + Math.min(room, Math.max(leastSeconds, room * partOfLeft)))
}

/**
 * Reserves seconds for an attempt, by all that its task has run until now, and charges those. Answers how many it has from
 * now on: `undefined` without a bound, 0 when nothing is left.
 */
export const grantSeconds = async (ports: Ports, task: Runner): Promise<number | undefined> => {
  const { tenant, id, pool, ranSeconds: ran = 0 } = task
  let granted: number | undefined
  const planner: Planner = (chain, shares) => {
    granted = undefined
    const link = secondsLink(chain)
    if (link === undefined) return new Map()
    const seconds = grantOf(link.stored.value, shares.get(link.id), ran)
    granted = Math.max(0, seconds - ran)
    return new Map([[link.id, { held: { seconds }, partly: true, growing: true }]])
  }
  const { short } = await changeShares(ports, { tenant, pool, task: id }, planner)
  return short.length > 0 ? 0 : granted
}

/** Whether seconds that nobody has spent are reserved for attempts of other tasks: what they do not need goes back. */
export const isReserved = async (ports: Ports, { tenant, id, pool }: Runner): Promise<boolean> => {
  const link = secondsLink(await loadChain(ports, tenant, pool))
  if (link === undefined) return false
  let cursor: string | undefined
  do {
    const page = await openSharesOf(ports, tenant, link.id, cursor)
    const heads = await ports.main.getMany<Task>(page.shares.map(({ task }) => taskKey(tenant, task)))
    for (const [at, { task, share }] of page.shares.entries()) {
      const head = heads[at]?.value
      if (task === id || head?.status !== 'RUNNING' || head.lease?.budgetAt === undefined) continue
      if ((share.held.seconds ?? 0) > (spentBy(head).seconds ?? 0)) return true
    }
    cursor = page.cursor
  } while (cursor !== undefined)
  return false
}
