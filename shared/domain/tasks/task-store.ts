import type { Item, Platform, Stored, Write } from '../../platform/platform.ts'
import { compete, contended } from '../contention.ts'
import { DomainError } from '../domain-error.ts'
import { newRev } from '../ids.ts'
import { taskKey } from '../keys.ts'
import { leaveLimits } from '../limits/admit.ts'
import { wake } from '../limits/wake.ts'
import { writeAll } from '../write-all.ts'
import { tellFreed } from './freed-slots.ts'
import type { Task } from './task.ts'
import { taskItem } from './task-item.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>
type ChangePorts = Ports & Pick<Platform, 'volatile' | 'queues' | 'telemetry'>

export { taskKey, taskPk } from '../keys.ts'
export { childrenPk, runTasksPk, taskListPk } from './task-item.ts'

/**
 * Stores a new task. `undefined`: stored; else the task that has this id already. `CONTENDED` when what has to be true
 * besides is not: it was held up for too long.
 */
export const createTask = async (
  ports: Ports,
  task: Task,
  items: Item[],
  checks: Write[] = [],
): Promise<Task | undefined> => {
  const head: Write = { op: 'put', item: taskItem(task), expect: 'absent', rev: newRev(ports) }
  const outcome = await writeAll(ports.main, [head, ...items.map(putAny), ...checks])
  if (outcome.ok) return undefined
  const existing = outcome.conflicts.find(({ at }) => at === 0)?.current as Stored<Task> | undefined
  if (existing) return existing.value
  throw contended(`what task ${task.id} draws on`)
}

export const findTask = async (
  ports: Pick<Platform, 'main'>,
  tenant: string,
  id: string,
): Promise<Stored<Task> | undefined> => ports.main.get<Task>(taskKey(tenant, id))

/** The task, or `NOT_FOUND`. */
export const getTask = async (ports: Pick<Platform, 'main'>, tenant: string, id: string): Promise<Stored<Task>> => {
  const found = await findTask(ports, tenant, id)
  if (found === undefined) throw new DomainError('NOT_FOUND', `there is no task ${id}`)
  return found
}

/** What a change wants stored: the next head (the same object: nothing) and items to write with it. */
export type Changed<A> = {
  task: Task
  items?: Item[]
  /** Further writes with conditions of their own; one that does not hold runs `change` again. */
  writes?: Write[]
  answer: A
}

/**
 * Loads, changes and saves with compare-and-swap until no one else came first. `change` may run several times and
 * must answer from what it is given alone. A conflict brings the current head with it, at no extra read.
 */
export const changeTask = async <A>(
  ports: ChangePorts,
  start: Stored<Task>,
  change: (task: Task) => Promise<Changed<A>> | Changed<A>,
): Promise<Changed<A>> => {
  let current = start
  return compete(ports, `task ${start.value.id}`, async () => {
    const changed = await change(current.value)
    if (changed.task === current.value) return { done: changed }
    const write: Write = { op: 'put', item: taskItem(changed.task), expect: { rev: current.rev }, rev: newRev(ports) }
    const outcome = await writeAll(ports.main, [write, ...(changed.items ?? []).map(putAny), ...(changed.writes ?? [])])
    if (outcome.ok) {
      await leaveIfEnded(ports, current.value, changed.task).catch((error: unknown) =>
        ports.telemetry.log('warn', 'what a limit gives back is found by its recount', { error: String(error) }),
      )
      return { done: changed }
    }
    const winner = outcome.conflicts.find(({ at }) => at === 0)?.current as Stored<Task> | undefined
    current = winner ?? (await getTask(ports, current.value.tenant, current.value.id))
    return undefined
  })
}

/** The end of a counted lease, however it ended, gives its places back; who is let go without one leaves room to others. */
const leaveIfEnded = async (ports: ChangePorts, before: Task, after: Task): Promise<void> => {
  const { lease, heldBy } = before
  if (lease && lease.fence !== after.lease?.fence) tellFreed(ports.volatile, lease.instance)
  if (lease?.counted && lease.fence !== after.lease?.fence) await leaveLimits(ports, before, lease.counted)
  if (heldBy !== undefined && heldBy !== after.heldBy && !after.lease) await wake(ports, before.tenant, heldBy)
}

const putAny = (item: Item): Write => ({ op: 'put', item, expect: 'any' })
