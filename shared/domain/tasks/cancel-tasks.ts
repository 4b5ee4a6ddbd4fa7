import type { IndexName, Key, Platform } from '../../platform/platform.ts'
import type { Caller } from '../caller.ts'
import { dueShardPk, dueShards } from '../dispatch/due.ts'
import { cancelTask } from './cancel-task.ts'
import { matches, type TaskFilter } from './list-tasks.ts'
import { isFinished, type Task } from './task.ts'
import { childrenPk, taskPk } from './task-store.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'queues' | 'telemetry' | 'clock' | 'random'>

export type CancelMany = {
  filter: TaskFilter
  reason?: string
  /** Only counts. */
  dryRun: boolean
  /** Milliseconds after which it answers what it has done; the caller asks again. */
  patienceMs: number
}

/** `complete`: everything unfinished was looked at, and at the last look nothing that matches was left. */
export type CancelledMany = { matched: number; cancelled: number; complete: boolean }

/** A pass may miss what moves while it looks: it looks again until one finds nothing. */
const maxPasses = 20
/** So many keys are looked at for one call. */
const mostExamined = 1_000_000
const keysAtOnce = 1000
const tasksAtOnce = 200

/**
 * Cancels every unfinished task that matches: the kill switch. It looks where everything unfinished has its place, so
 * that it takes no longer for the millions that have ended; of what is somebody else's it reads the keys alone.
 */
export const cancelTasks = async (
  ports: Ports,
  caller: Caller,
  { filter, reason, dryRun, patienceMs }: CancelMany,
): Promise<CancelledMany> => {
  const seen = new Set<string>()
  let cancelled = 0
  const onPage = async (tasks: Task[]): Promise<void> => {
    for (const { id } of tasks) seen.add(id)
    const done = dryRun ? 0 : await cancelAll(ports, caller, tasks, reason)
    cancelled += done // after the await: pages are looked at side by side
  }
  const look = { tenant: caller.tenant, filter, until: ports.clock.now() + patienceMs, examined: 0, found: 0, onPage }
  for (let pass = 0; pass < maxPasses; pass++) {
    look.found = 0
    await Promise.all(placesOf(look).map((place) => lookThrough(ports, place, look)))
    const whole = !isOver(ports, look)
    if (look.found === 0 || dryRun || !whole)
      return { matched: seen.size, cancelled, complete: whole && (dryRun || look.found === 0) }
  }
  return { matched: seen.size, cancelled, complete: false }
}

/** What one call looks for, and how far it is. */
type Look = {
  tenant: string
  filter: TaskFilter
  until: number
  examined: number
  found: number
  onPage: (tasks: Task[]) => Promise<void>
}

const isOver = ({ clock }: Ports, { until, examined }: Look): boolean =>
  clock.now() >= until || examined >= mostExamined

type Place = { index: IndexName; pk: string }

/** The children of one task are all in one place; else what is unfinished is spread over all tenants'. */
const placesOf = ({ tenant, filter: { parent } }: Look): Place[] =>
  parent !== undefined
    ? [{ index: 'parent', pk: childrenPk(tenant, parent) }]
    : Array.from({ length: dueShards }, (_, shard) => ({ index: 'due', pk: dueShardPk(shard) }))

const lookThrough = async (ports: Ports, place: Place, look: Look): Promise<void> => {
  const own = taskPk(look.tenant, '')
  const isOwn = ({ pk, sk }: Key): boolean => sk === 'head' && pk.startsWith(own)
  let cursor: string | undefined
  do {
    const page = await ports.main.queryKeys({ ...place, limit: keysAtOnce, cursor })
    look.examined += page.items.length
    await lookAt(ports, page.items.filter(isOwn), look)
    cursor = page.cursor
  } while (cursor !== undefined && !isOver(ports, look))
}

const lookAt = async (ports: Ports, keys: Key[], look: Look): Promise<void> => {
  for (let at = 0; at < keys.length && !isOver(ports, look); at += tasksAtOnce) {
    const part = keys.slice(at, at + tasksAtOnce).map(({ pk, sk }) => ({ pk, sk }))
    const stored = await ports.main.getMany<Task>(part)
    const tasks = stored.flatMap((one) => (one && isMeant(look, one.value) ? [one.value] : []))
    look.found += tasks.length
    await look.onPage(tasks)
  }
}

const isMeant = ({ filter }: Look, task: Task): boolean =>
  !isFinished(task) &&
  matches(filter, task) &&
  task.createdAt >= (filter.since ?? 0) &&
  task.createdAt < (filter.until ?? Number.POSITIVE_INFINITY)

/** One that ended meanwhile is not cancelled, and no reason to stop. */
const cancelAll = async (ports: Ports, caller: Caller, tasks: Task[], reason?: string): Promise<number> => {
  const outcomes = await Promise.allSettled(tasks.map(({ id }) => cancelTask(ports, caller, id, reason)))
  return outcomes.filter(({ status }) => status === 'fulfilled').length
}
