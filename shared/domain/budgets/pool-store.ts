import type { Item, Key, Platform, Stored, Write } from '../../platform/platform.ts'
import { compete, crowdedMs } from '../contention.ts'
import { dueIndex } from '../dispatch/due.ts'
import { newRev } from '../ids.ts'
import { taskKey, taskPk } from '../keys.ts'
import { inTurn } from '../process-turns.ts'
import type { Task } from '../tasks/task.ts'
import { type Changed, changeShare, type Lack, type Pool, type Share, type ShareChange } from './pool.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

const poolKey = (tenant: string, task: string): Key => ({ pk: taskPk(tenant, task), sk: 'pool' })
const shareKey = (tenant: string, pool: string, task: string): Key => ({
  pk: taskPk(tenant, pool),
  sk: `share#${task}`,
})
/** Partition of the `list` index that holds the open shares of a pool. */
const openSharesPk = (tenant: string, pool: string): string => `${tenant}#shares#${pool}`

export const poolItem = (tenant: string, task: string, pool: Pool): Item<Pool> => ({
  ...poolKey(tenant, task),
  type: 'pool',
  value: pool,
  ...(pool.dueAt !== undefined && pool.open > 0 && { index: { due: dueIndex(pool.dueAt, tenant, task) } }),
})

export const shareItem = (
  tenant: string,
  { pool, task }: { pool: string; task: string },
  share: Share,
): Item<Share> => ({
  ...shareKey(tenant, pool, task),
  type: 'share',
  value: share,
  ...(share.open && { index: { list: { pk: openSharesPk(tenant, pool), sk: task } } }),
})

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

/** A page of the open shares of a pool, with the tasks that have them. */
export const openSharesOf = async (
  { main }: Pick<Platform, 'main'>,
  { tenant, pool }: { tenant: string; pool: string },
  { cursor, limit = 500 }: { cursor?: string; limit?: number } = {},
) => {
  const page = await main.queryKeys({ index: 'list', pk: openSharesPk(tenant, pool), limit, cursor })
  const found = await main.getMany<Share>(page.items)
  const shares = page.items.flatMap(({ place }, at) => {
    const share = found[at]?.value
    return share?.open ? [{ task: place, share }] : []
  })
  return { shares, cursor: page.cursor }
}

/** What changes in which pool of the chain. */
export type Plan = Map<string, ShareChange>
export type Planner = (chain: Link[], shares: Map<string, Share>, head?: Task) => Plan
export type Short = (Lack & { pool: Pool })[]
/** `shares` hold as long as nobody changes a share that the task has now. */
export type PlanOutcome = { short: Short; chain: Link[]; shares: Write[] }

type Step = { link: Link; before: Stored<Share> | undefined; change: ShareChange }
type Owner = { tenant: string; task: string }

const stepsOf = (chain: Link[], shares: Map<string, Stored<Share>>, plan: Plan): Step[] =>
  chain.flatMap((link) => {
    const change = plan.get(link.id)
    return change === undefined ? [] : [{ link, before: shares.get(link.id), change }]
  })

const unchanged = (before: Stored<Share> | undefined, after: Share): boolean =>
  before !== undefined && JSON.stringify(before.value) === JSON.stringify(after)

/**
 * Changes the shares that a task has of the pools of a chain: all or none. Without `partly`, too little of anything
 * changes nothing. The plan is made again whenever somebody else came first; those of this process come in turn. `head`:
 * only while there is no such task, or with what it is: of one that has changed the plan is made again as well.
 */
export const changeShares = (ports: Ports, change: Changing, planner: Planner): Promise<PlanOutcome> => {
  const { tenant, pool } = change
  const changing = () =>
    compete(ports, `the budget of task ${pool}`, () => changeOnce(ports, change, planner), crowdedMs)
  return pool === undefined ? changing() : inTurn(ports, `pool#${tenant}#${pool}`, changing)
}

type Changing = Owner & { pool: string | undefined; head?: 'absent' | 'stored' }

const changeOnce = async (
  ports: Ports,
  { tenant, pool, task, head }: Changing,
  planner: Planner,
): Promise<{ done: PlanOutcome } | undefined> => {
  const key = taskKey(tenant, task)
  const chain = await loadChain(ports, tenant, pool)
  const seen = head === undefined ? undefined : await ports.main.get<Task>(key)
  if (head !== undefined && (seen === undefined) !== (head === 'absent'))
    return { done: { short: [], chain, shares: [] } }
  const shares = await sharesOf(ports, { tenant, task }, chain)
  const plan = planner(chain, valuesOf(shares), seen?.value)
  const { short, writes } = writesOf(ports, { tenant, task }, stepsOf(chain, shares, plan))
  const check: Write = { op: 'check', key, expect: seen === undefined ? 'absent' : { rev: seen.rev } }
  const all = head === undefined ? writes : [...writes, check]
  if (writes.length > 0 && !(await ports.main.transact(all)).ok) return undefined
  return { done: { short, chain, shares: checksOf([...shares.values()], writes) } }
}

const valuesOf = (shares: Map<string, Stored<Share>>): Map<string, Share> =>
  new Map([...shares].map(([id, { value }]) => [id, value]))

/** What a task has of the pools of a chain, by the tasks that these belong to. */
export const sharesOf = async (
  { main }: Pick<Platform, 'main'>,
  { tenant, task }: Owner,
  chain: Link[],
): Promise<Map<string, Stored<Share>>> => {
  const found = await main.getMany<Share>(chain.map(({ id }) => shareKey(tenant, id, task)))
  return new Map(chain.flatMap(({ id }, at) => (found[at] ? [[id, found[at]] as const] : [])))
}

/** What is to be written, and what there is too little of: without `partly`, nothing is written then. */
const writesOf = (ports: Ports, owner: Owner, steps: Step[]): { short: Short; writes: Write[] } => {
  const writes: Write[] = []
  const short: Short = []
  for (const step of steps) {
    const { link, before, change } = step
    const changed = changeShare(link.stored.value, before?.value, change, ports.clock.now())
    const missing = changed.short.map((lack) => ({ ...lack, pool: link.stored.value }))
    if (missing.length > 0 && !change.partly) return { short: missing, writes: [] }
    short.push(...missing)
    if (change.drop || !unchanged(before, changed.share)) writes.push(...writesOfStep(ports, owner, step, changed))
  }
  return { short, writes }
}

const writesOfStep = (
  ports: Ports,
  { tenant, task }: Owner,
  { link, before, change }: Step,
  { pool, share }: Changed,
): Write[] => {
  const expect = before ? { rev: before.rev } : 'absent'
  const item = shareItem(tenant, { pool: link.id, task }, share)
  return [
    { op: 'put', item: poolItem(tenant, link.id, pool), expect: { rev: link.stored.rev }, rev: newRev(ports) },
    change.drop
      ? { op: 'delete', key: shareKey(tenant, link.id, task), expect }
      : { op: 'put', item, expect, rev: newRev(ports) },
  ]
}

/** That each share is as it was left. */
const checksOf = (before: Stored<Share>[], writes: Write[]): Write[] => {
  const written = writes.flatMap((write) =>
    write.op === 'put' && write.item.type === 'share' && write.rev !== undefined
      ? [{ pk: write.item.pk, sk: write.item.sk, rev: write.rev }]
      : [],
  )
  const revs = new Map([...before, ...written].map(({ pk, sk, rev }) => [pk, { key: { pk, sk }, rev }]))
  return [...revs.values()].map(({ key, rev }) => ({ op: 'check', key, expect: { rev } }))
}

/** Marks a pool as `mark` says, unless somebody changed it meanwhile. */
export const markPool = async (
  ports: Ports,
  tenant: string,
  { id, stored }: Link,
  mark: Pick<Pool, 'closed' | 'dueAt'>,
): Promise<boolean> => {
  const item = poolItem(tenant, id, { ...stored.value, ...mark })
  return (await ports.main.write({ op: 'put', item, expect: { rev: stored.rev } })).ok
}
