import type { Item, Key, Platform, Stored, Write } from '../../platform/platform.ts'
import { compete } from '../contention.ts'
import { newRev } from '../ids.ts'
import { taskPk } from '../keys.ts'
import { type AmountName, changeShare, type Pool, type Share, type ShareChange } from './pool.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

const poolKey = (tenant: string, task: string): Key => ({ pk: taskPk(tenant, task), sk: 'pool' })
const sharePrefix = 'share#'
const shareKey = (tenant: string, pool: string, task: string): Key => ({
  pk: taskPk(tenant, pool),
  sk: `${sharePrefix}${task}`,
})

export const poolItem = (tenant: string, task: string, pool: Pool): Item<Pool> => ({
  ...poolKey(tenant, task),
  type: 'pool',
  value: pool,
})

export const shareItem = (
  tenant: string,
  { pool, task }: { pool: string; task: string },
  share: Share,
): Item<Share> => ({ ...shareKey(tenant, pool, task), type: 'share', value: share })

/** A pool of a chain, nearest first; `id` is the task that it belongs to. */
export type Link = { id: string; stored: Stored<Pool> }

export const findPool = ({ main }: Pick<Platform, 'main'>, tenant: string, id: string) =>
  main.get<Pool>(poolKey(tenant, id))

/** The pool of a task and those above it. */
export const loadChain = async (
  ports: Pick<Platform, 'main'>,
  tenant: string,
  pool: string | undefined,
): Promise<Link[]> => {
  const chain: Link[] = []
  for (let id = pool; id !== undefined; ) {
    const stored = await findPool(ports, tenant, id)
    if (stored === undefined) return chain
    chain.push({ id, stored })
    id = stored.value.above
  }
  return chain
}

/** A page of the shares of a pool, with the tasks that have them. */
export const sharesOf = async ({ main }: Pick<Platform, 'main'>, tenant: string, pool: string, cursor?: string) => {
  const page = await main.query<Share>({ pk: taskPk(tenant, pool), prefix: sharePrefix, limit: 500, cursor })
  return {
    shares: page.items.map(({ sk, value }) => ({ task: sk.slice(sharePrefix.length), share: value })),
    cursor: page.cursor,
  }
}

/** What changes in which pool of the chain. */
export type Plan = Map<string, ShareChange>
export type Planner = (chain: Link[], shares: Map<string, Share>) => Plan
export type PlanOutcome = { short: { pool: Pool; name: AmountName }[]; chain: Link[] }

type Step = { link: Link; before: Stored<Share> | undefined; change: ShareChange }

const stepsOf = (chain: Link[], shares: Map<string, Stored<Share>>, plan: Plan): Step[] =>
  chain.flatMap((link) => {
    const change = plan.get(link.id)
    return change === undefined ? [] : [{ link, before: shares.get(link.id), change }]
  })

const unchanged = (before: Stored<Share> | undefined, after: Share): boolean =>
  before !== undefined && JSON.stringify(before.value) === JSON.stringify(after)

/**
 * Changes the shares that a task has of the pools of a chain: all or none. Without `partly`, too little of anything
 * changes nothing. The plan is made again whenever somebody else came first.
 */
export const changeShares = async (
  ports: Ports,
  { tenant, pool, task }: { tenant: string; pool: string | undefined; task: string },
  planner: Planner,
): Promise<PlanOutcome> => {
  return compete(ports, `the budget of task ${pool}`, async () => {
    const chain = await loadChain(ports, tenant, pool)
    const found = await ports.main.getMany<Share>(chain.map(({ id }) => shareKey(tenant, id, task)))
    const shares = new Map(chain.flatMap(({ id }, at) => (found[at] ? [[id, found[at]] as const] : [])))
    const plan = planner(chain, new Map([...shares].map(([id, { value }]) => [id, value])))
    const short = await write(ports, { tenant, task }, stepsOf(chain, shares, plan))
    return short && { done: { short, chain } }
  })
}

/** What there was too little of; `undefined`: somebody else came first. */
const write = async (
  ports: Ports,
  { tenant, task }: { tenant: string; task: string },
  steps: Step[],
): Promise<PlanOutcome['short'] | undefined> => {
  const writes: Write[] = []
  const short: PlanOutcome['short'] = []
  for (const { link, before, change } of steps) {
    const changed = changeShare(link.stored.value, before?.value, change, ports.clock.now())
    const missing = changed.short.map((name) => ({ pool: link.stored.value, name }))
    if (missing.length > 0 && !change.partly) return missing
    short.push(...missing)
    if (unchanged(before, changed.share)) continue
    const share = shareItem(tenant, { pool: link.id, task }, changed.share)
    const item = poolItem(tenant, link.id, changed.pool)
    writes.push({ op: 'put', item, expect: { rev: link.stored.rev }, rev: newRev(ports) })
    writes.push({ op: 'put', item: share, expect: before ? { rev: before.rev } : 'absent', rev: newRev(ports) })
  }
  return writes.length === 0 || (await ports.main.transact(writes)).ok ? short : undefined
}

/** Marks a pool whose rest has gone back, unless somebody opened a share meanwhile. */
export const closePool = async (ports: Ports, tenant: string, { id, stored }: Link): Promise<boolean> =>
  (
    await ports.main.write({
      op: 'put',
      item: poolItem(tenant, id, { ...stored.value, closed: true }),
      expect: { rev: stored.rev },
    })
  ).ok
