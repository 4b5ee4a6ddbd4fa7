import type { Indexed, IndexName, Platform } from '../../platform/platform.ts'
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

/** A pass may miss what moves while it looks: it looks again, at what has moved, until one finds nothing. */
const maxPasses = 20
/** So many keys are looked at for one call. */
const mostExamined = 1_000_000
/** So many places of what does not match are remembered, of 60 bytes or so each. */
const mostRemembered = 200_000
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
  const until = ports.clock.now() + patienceMs
  const look: Look = { tenant: caller.tenant, filter, until, examined: 0, found: 0, others: new Set(), onPage }
  for (let pass = 0; pass < maxPasses; pass++) {
    look.found = 0
    await Promise.all(listsOf(look).map((list) => lookThrough(ports, list, look)))
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
  /** Where something was that did not match: what is still there has not changed its state. */
  others: Set<string>
  onPage: (tasks: Task[]) => Promise<void>
}

const isOver = ({ clock }: Ports, { until, examined }: Look): boolean =>
  clock.now() >= until || examined >= mostExamined

type List = { index: IndexName; pk: string }

/** The children of one task are in one list; else what is unfinished is spread over those of all tenants. */
const listsOf = ({ tenant, filter: { parent } }: Look): List[] =>
  parent !== undefined
    ? [{ index: 'parent', pk: childrenPk(tenant, parent) }]
    : Array.from({ length: dueShards }, (_, shard) => ({ index: 'due', pk: dueShardPk(shard) }))

const lookThrough = async (ports: Ports, list: List, look: Look): Promise<void> => {
  const own = taskPk(look.tenant, '')
  const isOpen = ({ pk, sk, place }: Indexed): boolean => sk === 'head' && pk.startsWith(own) && !look.others.has(place)
  let cursor: string | undefined
  do {
    const page = await ports.main.queryKeys({ ...list, limit: keysAtOnce, cursor })
    look.examined += page.items.length
    await lookAt(ports, page.items.filter(isOpen), look)
    cursor = page.cursor
  } while (cursor !== undefined && !isOver(ports, look))
}

const lookAt = async (ports: Ports, keys: Indexed[], look: Look): Promise<void> => {
  for (let at = 0; at < keys.length && !isOver(ports, look); at += tasksAtOnce) {
    const part = keys.slice(at, at + tasksAtOnce)
    const stored = await ports.main.getMany<Task>(part.map(({ pk, sk }) => ({ pk, sk })))
    const tasks = part.flatMap(({ place }, n) => {
      const task = stored[n]?.value
      if (task && isMeant(look, task)) return [task]
      remember(look, place)
      return []
    })
    look.found += tasks.length
    await look.onPage(tasks)
  }
}

/** The children of one task never move, and are few: they are all looked at again. */
const remember = ({ filter, others }: Look, place: string): void => {
  if (filter.parent === undefined && others.size < mostRemembered) others.add(place)
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
