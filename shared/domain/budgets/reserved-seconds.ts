import type { Platform } from '../../platform/platform.ts'
import { taskKey } from '../keys.ts'
import { isFinished, type Task } from '../tasks/task.ts'
import { ranSecondsAt } from '../tasks/task-transition.ts'
import { type Lacking, lookAtLeft } from './left.ts'
import { rounded, type Share } from './pool.ts'
import { findPool, openSharesOf } from './pool-store.ts'
import { linkOf } from './spent.ts'

type Ports = Pick<Platform, 'main' | 'clock'>
/** A task that has seconds of a budget which it did not use: what it does not need of them goes back. */
type Reserver = { task: string; seconds: number }
/** `budget`: the task that it is of; `seconds`: all that it has. */
export type Reserved = { budget: string; seconds?: number; by: Reserver[] }

/** Whether seconds are all that lacks, so that waiting for others may help. */
const isOfSeconds = ({ none }: Lacking): boolean => none.every((name) => name === 'seconds') && none.length > 0

/** Whether what a task lacks are seconds that others have reserved; also where the pool has changed since it was looked at. */
export const isReserved = async (ports: Ports, task: Task, lacking: Lacking): Promise<boolean> => {
  const link = linkOf(lacking.chain, 'seconds')
  if (link === undefined || !isOfSeconds(lacking)) return false
  if ((await reserversOf(ports, task, link.id, 1)).length > 0) return true
  return (await findPool(ports, task.tenant, link.id))?.rev !== link.stored.rev
}

/** What a task waits for that lacks nothing but seconds which others have reserved: `most` of these at most. */
export const findReserved = async (ports: Ports, task: Task, most: number): Promise<Reserved | undefined> => {
  const lacking = await lookAtLeft(ports, task)
  const link = linkOf(lacking.chain, 'seconds')
  if (link === undefined || !isOfSeconds(lacking)) return undefined
  const by = await reserversOf(ports, task, link.id, most)
  return by.length > 0 ? { budget: link.id, seconds: link.stored.value.bounds.seconds, by } : undefined
}

const pageSize = 50

const reserversOf = async (ports: Ports, { tenant, id }: Task, pool: string, most: number): Promise<Reserver[]> => {
  const found: Reserver[] = []
  let cursor: string | undefined
  do {
    const page = await openSharesOf(ports, { tenant, pool }, { cursor, limit: pageSize })
    const heads = await ports.main.getMany<Task>(page.shares.map(({ task }) => taskKey(tenant, task)))
    for (const [at, { task, share }] of page.shares.entries()) {
      const seconds = task === id ? 0 : unusedOf(share, heads[at]?.value, ports.clock.now())
      if (seconds > 0) found.push({ task, seconds })
    }
    cursor = page.cursor
  } while (cursor !== undefined && found.length < most)
  return found.slice(0, most)
}

/** Of a task that has ended only what tasks below it may still use: all else is about to be settled. */
const unusedOf = ({ held }: Share, head: Task | undefined, now: number): number =>
  head === undefined || (isFinished(head) && head.budget?.seconds === undefined)
    ? 0
    : rounded((held.seconds ?? 0) - (ranSecondsAt(head, now) ?? 0))
