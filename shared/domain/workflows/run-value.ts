import type { Item, Key, Page, Platform, Put, Stored } from '../../platform/platform.ts'
import { type Caller, type Stamp, stamp } from '../caller.ts'
import { compete } from '../contention.ts'
import { DomainError, invalid, orThrow } from '../domain-error.ts'
import { digest, newRev } from '../ids.ts'
import { type IfMatch, notAt } from '../require-rev.ts'
import { runOfTask } from '../tasks/task.ts'
import { requireFence } from '../tasks/task-moves.ts'
import { findTask } from '../tasks/task-store.ts'
import { writerOf } from '../tasks/worker-instance.ts'
import { isOver, type Run } from './run.ts'
import { runPk } from './run-store.ts'

/** What the agents of a run share under a name. `recent`: the last writes of it, by which a repeated one is known. */
export type RunValue = { value: unknown; recent: string[]; stamp: Stamp }

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

const prefix = 'value#'
const valueKey = ({ tenant, id }: Run, key: string): Key => ({ pk: runPk(tenant, id), sk: `${prefix}${key}` })
const countKey = ({ tenant, id }: Run): Key => ({ pk: runPk(tenant, id), sk: 'values' })
/** With 32 KiB each, 8 MiB a run. */
const mostValues = 256
/** So many others may write between a write whose answer was lost and its repetition. */
const mostRecent = 32

const mostBytes = 32 * 1024

const requireSize = ({ id }: Run, { key, value }: ValueWish): void => {
  const bytes = Buffer.byteLength(JSON.stringify(value ?? null))
  if (bytes > mostBytes)
    throw new DomainError(
      'TOO_LARGE',
      `value ${key} of run ${id} would have ${bytes} bytes, and may have ${mostBytes}; upload it, and share its reference`,
    )
}

const requireKey = (key: string): void => {
  if (!/^[A-Za-z0-9._-]{1,100}$/.test(key))
    throw invalid('#/path/key', 'INVALID', 'a key has 1 to 100 letters, digits, ".", "-" and "_"')
}

/** The value, if there is one. */
export const findRunValue = async (
  { main }: Pick<Platform, 'main'>,
  run: Run,
  key: string,
): Promise<Stored<RunValue> | undefined> => {
  requireKey(key)
  return main.get<RunValue>(valueKey(run, key))
}

/** The value, or `NOT_FOUND`. */
export const getRunValue = async (ports: Pick<Platform, 'main'>, run: Run, key: string): Promise<Stored<RunValue>> => {
  const found = await findRunValue(ports, run, key)
  if (found === undefined) throw new DomainError('NOT_FOUND', `run ${run.id} has no value ${key}`)
  return found
}

/** The values of a run by their keys, a page of them. */
export const listRunValues = (
  { main }: Pick<Platform, 'main'>,
  { tenant, id }: Run,
  page: { limit: number; cursor?: string },
): Promise<Page<RunValue>> => main.query<RunValue>({ pk: runPk(tenant, id), prefix, ...page })

/** The key that a stored value has. */
export const keyOfValue = ({ sk }: Pick<Key, 'sk'>): string => sk.slice(prefix.length)

export type Holding = { task?: string; fence?: string }

/** Whoever is no administrator shares the values of the runs alone whose tasks it holds, under their fence. */
export const requireHolder = async (
  ports: Pick<Platform, 'main' | 'generation'>,
  caller: Caller,
  run: Run,
  { task: id, fence }: Holding,
): Promise<void> => {
  const { principal } = caller
  if (principal.kind === 'key' && principal.role === 'admin') return
  if (id === undefined || fence === undefined)
    throw new DomainError('FORBIDDEN', 'an agent names the task that it does for the run, and its fence')
  const task = (await findTask(ports, caller.tenant, id))?.value
  if (task === undefined || runOfTask(task) !== run.id)
    throw new DomainError('FORBIDDEN', `task ${id} is none of run ${run.id}`)
  orThrow(requireFence(task, fence, writerOf(ports, caller)))
}

export type ValueWish = { key: string; value: unknown; ifMatch?: IfMatch; idempotencyKey?: string }

/**
 * Sets a value; with `ifMatch` only while it is at that state, an empty one: while there is none. The same call again,
 * by its idempotency key, changes nothing and answers what is stored by now.
 */
export const changeRunValue = async (
  ports: Ports,
  caller: Caller,
  run: Run,
  wish: ValueWish,
): Promise<Stored<RunValue>> => {
  requireKey(wish.key)
  requireSize(run, wish)
  if (isOver(run))
    throw new DomainError('ALREADY_FINISHED', `run ${run.id} is ${run.state}; its values stay as they are`)
  const mark = wish.idempotencyKey === undefined ? undefined : digest(wish.idempotencyKey)
  return compete<Stored<RunValue>>(ports, `value ${wish.key} of run ${run.id}`, async () => {
    const current = await findRunValue(ports, run, wish.key)
    if (current && mark !== undefined && current.value.recent.includes(mark)) return { done: current }
    requireMatch(run, wish, current?.rev)
    const recent = [...(current?.value.recent ?? []), ...(mark === undefined ? [] : [mark])].slice(-mostRecent)
    const item: Item<RunValue> = {
      ...valueKey(run, wish.key),
      type: 'run-value',
      value: { value: wish.value, recent, stamp: stamp(caller, 'run.value') },
    }
    const put: Put = { op: 'put', item, expect: current ? { rev: current.rev } : 'absent', rev: newRev(ports) }
    const outcome = current ? await ports.main.write(put) : await ports.main.transact([put, await oneMore(ports, run)])
    return outcome.ok ? { done: { ...item, rev: put.rev as string } } : undefined
  })
}

const requireMatch = (run: Run, { key, ifMatch }: ValueWish, rev: string | undefined): void => {
  if (ifMatch === undefined || ifMatch.includes(rev ?? '')) return
  throw notAt(`value ${key} of run ${run.id}`, rev ?? 'nothing', ifMatch)
}

/** Counts a new value, in one write with it. */
const oneMore = async (ports: Ports, run: Run): Promise<Put> => {
  const counted = await ports.main.get<{ count: number }>(countKey(run))
  const count = counted?.value.count ?? 0
  if (count >= mostValues)
    throw new DomainError('TOO_LARGE', `run ${run.id} has ${count} values; it may have ${mostValues}: set one of those`)
  return {
    op: 'put',
    item: { ...countKey(run), type: 'run-values', value: { count: count + 1 } },
    expect: counted ? { rev: counted.rev } : 'absent',
    rev: newRev(ports),
  }
}
