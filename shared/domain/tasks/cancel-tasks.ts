import type { Platform } from '../../platform/platform.ts'
import type { Caller } from '../caller.ts'
import { dueShardPk, dueShards } from '../dispatch/due.ts'
import { cancelTask } from './cancel-task.ts'
import { matches, type TaskFilter } from './list-tasks.ts'
import { isFinished, type Task } from './task.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'queues' | 'telemetry' | 'clock' | 'random'>

export type CancelMany = {
  filter: TaskFilter
  reason?: string
  /** Only counts. */
  dryRun: boolean
  /** Milliseconds after which it answers what it has done; the caller asks again. */
  patienceMs: number
}

/** `complete`: nothing that matches is left unfinished. */
export type CancelledMany = { matched: number; cancelled: number; complete: boolean }

const pageSize = 200
/** A pass may miss what moves while it looks; one that finds nothing proves that nothing is left. */
const maxPasses = 20

/**
 * Cancels every unfinished task that matches: the kill switch. It looks where everything unfinished has its place, so
 * that it takes no longer for the millions that have ended.
 */
export const cancelTasks = async (
  ports: Ports,
  caller: Caller,
  { filter, reason, dryRun, patienceMs }: CancelMany,
): Promise<CancelledMany> => {
  const until = ports.clock.now() + patienceMs
  const seen = new Set<string>()
  let cancelled = 0
  const onPage = async (tasks: Task[]): Promise<number> => {
    for (const { id } of tasks) seen.add(id)
    const done = dryRun ? 0 : await cancelAll(ports, caller, tasks, reason)
    cancelled += done // after the await: pages are looked at side by side
    return tasks.length
  }
  for (let pass = 0; pass < maxPasses; pass++) {
    const found = await lookThrough(ports, { tenant: caller.tenant, filter, until, onPage })
    const inTime = ports.clock.now() < until
    if (found === 0 || dryRun || !inTime)
      return { matched: seen.size, cancelled, complete: found === 0 || (dryRun && inTime) }
  }
  return { matched: seen.size, cancelled, complete: false }
}

type Look = { tenant: string; filter: TaskFilter; until: number; onPage: (tasks: Task[]) => Promise<number> }

const lookThrough = async (ports: Ports, look: Look): Promise<number> => {
  const counts = await Promise.all(
    Array.from({ length: dueShards }, (_, shard) => lookThroughShard(ports, shard, look)),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}

const lookThroughShard = async ({ main, clock }: Ports, shard: number, look: Look): Promise<number> => {
  let count = 0
  let cursor: string | undefined
  do {
    const page = await main.query<Task>({ index: 'due', pk: dueShardPk(shard), limit: pageSize, cursor })
    const tasks = page.items.flatMap(({ type, value }) => (type === 'task' && isMeant(look, value) ? [value] : []))
    count += await look.onPage(tasks)
    cursor = page.cursor
  } while (cursor !== undefined && clock.now() < look.until)
  return count
}

const isMeant = ({ tenant, filter }: Look, task: Task): boolean =>
  task.tenant === tenant &&
  !isFinished(task) &&
  matches(filter, task) &&
  task.createdAt >= (filter.since ?? 0) &&
  task.createdAt < (filter.until ?? Number.POSITIVE_INFINITY)

/** One that ended meanwhile is not cancelled, and no reason to stop. */
const cancelAll = async (ports: Ports, caller: Caller, tasks: Task[], reason?: string): Promise<number> => {
  const outcomes = await Promise.allSettled(tasks.map(({ id }) => cancelTask(ports, caller, id, reason)))
  return outcomes.filter(({ status }) => status === 'fulfilled').length
}
