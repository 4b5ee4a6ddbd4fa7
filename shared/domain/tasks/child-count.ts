import type { Key, Platform } from '../../platform/platform.ts'
import { ulidTime } from '../../platform/ulid.ts'
import { changeItem } from '../contention.ts'
import { DomainError } from '../domain-error.ts'
import { fanOutIdOf } from '../fan-out/fan-out-store.ts'
import { processMemory } from '../process-memory.ts'
import { treeLimits } from './lineage.ts'
import type { Task } from './task.ts'
import { childrenPk } from './task-item.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random'>

const countKey = ({ tenant, parent }: Task): Key => ({ pk: `${tenant}#children#${parent}`, sk: 'counter' })

/** Whether a task takes one of its parent's places: shards, and what makes or joins them, come on top of these. */
const isCounted = ({ tenant, parent, batch }: Task): boolean =>
  parent !== undefined && (batch === undefined || batch.id !== fanOutIdOf(tenant, parent))

/** Takes one of the places that a parent has for children; `TREE_LIMIT` when there are none left. */
export const addChild = async (ports: Ports, task: Task): Promise<void> => {
  if (!isCounted(task)) return
  const add = () => ports.volatile.add(countKey(task), 1, { max: treeLimits.children })
  const count = (await add()) ?? ((await recountChildren(ports, task)) ? await add() : undefined)
  if (count === 1) await letExpire(ports, task)
  if (count !== undefined) return
  const message = `task ${task.parent} has ${treeLimits.children} children, as many as a task may have`
  throw new DomainError('TREE_LIMIT', message)
}

/** Gives a place back whose child was there already. */
export const removeChild = async ({ volatile }: Pick<Platform, 'volatile'>, task: Task): Promise<void> => {
  if (isCounted(task)) await volatile.add(countKey(task), -1, { min: 0 })
}

/** So long after the deadline of its first child nobody adds to a counter. */
const keptMs = 32 * 24 * 3_600_000

/** A counter keeps the time at which it goes whatever is added to it. */
const letExpire = async (ports: Ports, task: Task): Promise<void> => {
  const key = countKey(task)
  const place = { table: ports.volatile, key, what: `the children of task ${task.parent}` }
  const expiresAt = task.deadline + keptMs
  await changeItem<number>(ports, place, (value) =>
    value === undefined ? undefined : { ...key, type: 'counter', value, expiresAt },
  )
}

/** A full counter is compared with what there is this often. */
const recountMs = 10_000
/** What was counted by then is stored: a child that is on its way is in the counter, and not yet among the children. */
const settledMs = 30_000
const recounts = processMemory<number>()

/** A submit that broke off has left the counter of a parent too high: only then is it wrong. `true`: there is a place. */
const recountChildren = async (ports: Ports, task: Task): Promise<boolean> => {
  const { volatile, clock } = ports
  const key = countKey(task)
  const known = recounts(volatile)
  if (clock.now() - (known.get(key.pk) ?? Number.NEGATIVE_INFINITY) < recountMs) return false
  known.set(key.pk, clock.now())
  const counter = await volatile.get<number>(key)
  if (counter === undefined || clock.now() - ulidTime(counter.rev) < settledMs) return false
  const value = await countChildren(ports, task)
  if (value >= treeLimits.children) return false
  await volatile.write({ op: 'put', item: { ...counter, value }, expect: { rev: counter.rev } })
  return true
}

const countChildren = async ({ main }: Ports, { tenant, parent = '' }: Task): Promise<number> => {
  let count = 0
  let cursor: string | undefined
  do {
    const page = await main.queryKeys({ index: 'parent', pk: childrenPk(tenant, parent), limit: 1000, cursor })
    count += page.items.length
    cursor = page.cursor
  } while (cursor !== undefined && count < treeLimits.children)
  return count
}
