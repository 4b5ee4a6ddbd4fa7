import type { Platform } from '../../platform/platform.ts'
import { taskKey } from '../keys.ts'
import { isFinished, type Task } from '../tasks/task.ts'
import { type Lacking, lookAtLeft } from './left.ts'
import { rounded } from './pool.ts'
import { findPool, openSharesOf } from './pool-store.ts'
import { linkOf } from './spent.ts'

type Ports = Pick<Platform, 'main'>
/** A task that has seconds of a budget which it did not use: what it does not need of them goes back. */
type Reserver = { task: string; seconds: number }
/** `budget`: the task that it is of; `seconds`: all that it has. */
export type Reserved = { budget: string; seconds?: number; by: Reserver[] }

/** Of which tasks the shares count: a share may be of a task that was not stored yet. */
type Counts = (head: Task | undefined) => boolean
export const goesOn: Counts = (head) => head !== undefined && !isFinished(head)
/** Those too that are about to be settled, and those that tasks below one that has ended draw on. */
export const anybody: Counts = () => true

/** Whether seconds are all that lacks, so that waiting for others may help. */
const isOfSeconds = ({ none }: Lacking): boolean => none.every((name) => name === 'seconds') && none.length > 0

/** Whether what a task lacks are seconds that others have reserved; also where the pool has changed since it was looked at. */
export const isReserved = async (ports: Ports, task: Task, lacking: Lacking, counts: Counts): Promise<boolean> => {
  const link = linkOf(lacking.chain, 'seconds')
  if (link === undefined || !isOfSeconds(lacking)) return false
  if ((await reserversOf(ports, task, { pool: link.id, counts, most: 1 })).length > 0) return true
  return (await findPool(ports, task.tenant, link.id))?.rev !== link.stored.rev
}

/** What a task waits for that lacks nothing but seconds which others have reserved: `most` of these at most. */
export const findReserved = async (ports: Ports, task: Task, most: number): Promise<Reserved | undefined> => {
  const lacking = await lookAtLeft(ports, task)
  const link = linkOf(lacking.chain, 'seconds')
  if (link === undefined || !isOfSeconds(lacking)) return undefined
  const by = await reserversOf(ports, task, { pool: link.id, counts: anybody, most })
  return by.length > 0 ? { budget: link.id, seconds: link.stored.value.bounds.seconds, by } : undefined
}

const pageSize = 50

type Sought = { pool: string; counts: Counts; most: number }

const reserversOf = async (
  { main }: Ports,
  { tenant, id }: Task,
  { pool, counts, most }: Sought,
): Promise<Reserver[]> => {
  const found: Reserver[] = []
  let cursor: string | undefined
  do {
    const page = await openSharesOf({ main }, { tenant, pool }, { cursor, limit: pageSize })
    const heads = await main.getMany<Task>(page.shares.map(({ task }) => taskKey(tenant, task)))
    for (const [at, { task, share }] of page.shares.entries()) {
      const head = heads[at]?.value
      const seconds = rounded((share.held.seconds ?? 0) - (head?.ranSeconds ?? 0))
      if (task !== id && seconds > 0 && counts(head)) found.push({ task, seconds })
    }
    cursor = page.cursor
  } while (cursor !== undefined && found.length < most)
  return found.slice(0, most)
}
