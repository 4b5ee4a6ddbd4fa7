import type { Platform } from '../../platform/platform.ts'
import type { Task } from '../tasks/task.ts'
import { findEnough } from './audit-pool.ts'
import { type AmountName, type Amounts, leftInChain, rounded } from './pool.ts'
import { type Link, loadChain, type Short, sharesOf } from './pool-store.ts'
import { aheadOf, linkOf, spentBy, spentInChain, spentNames } from './spent.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>
type Drawing = Pick<Task, 'id' | 'tenant' | 'pool' | 'usage' | 'ranSeconds'>

/** What is left for a task, by all pools that bound it, with what it took ahead; `undefined`: it has no budget. */
export const budgetLeft = async (ports: Pick<Platform, 'main'>, task: Drawing): Promise<Amounts | undefined> =>
  task.pool === undefined ? undefined : leftOn(ports, task, await loadChain(ports, task.tenant, task.pool))

const leftOn = async (ports: Pick<Platform, 'main'>, task: Drawing, chain: Link[]): Promise<Amounts> => {
  const left = leftInChain(chain.map(({ stored }) => stored.value))
  const shares = await sharesOf(ports, { tenant: task.tenant, task: task.id }, chain)
  for (const [link, spent] of spentInChain(chain, spentBy(task)))
    for (const name of spentNames)
      if (left[name] !== undefined && spent[name] !== undefined)
        left[name] = rounded(left[name] + (aheadOf(shares.get(link)?.value ?? { held: {} }, spent)[name] ?? 0))
  return left
}

/** What a task cannot start without and of which nothing is left, by the pools as they were when it was looked at. */
export type Lacking = { none: AmountName[]; chain: Link[] }

/** At a first look: some of it may be back as soon as what is over is settled. */
export const lookAtLeft = async (ports: Pick<Platform, 'main'>, task: Drawing): Promise<Lacking> => {
  const chain = await loadChain(ports, task.tenant, task.pool)
  return { none: chain.length === 0 ? [] : noneOf(await leftOn(ports, task, chain)), chain }
}

/** After all that is over went back. */
export const nothingLeft = (ports: Ports, task: Drawing): Promise<Lacking> =>
  findEnough(ports, { tenant: task.tenant, task: task.id }, async () => {
    const looked = await lookAtLeft(ports, task)
    return { ...looked, short: looked.none.flatMap((name) => shortOf(looked.chain, name)) }
  })

/** Any amount is something to start with. */
const least = 1e-9

const noneOf = (left: Amounts): AmountName[] => spentNames.filter((name) => (left[name] ?? 1) <= 0)

const shortOf = (chain: Link[], name: AmountName): Short => {
  const pool = linkOf(chain, name)?.stored.value
  return pool === undefined ? [] : [{ pool, name, lacking: least }]
}
