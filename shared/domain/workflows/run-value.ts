import type { Item, Key, Platform, Stored } from '../../platform/platform.ts'
import { type Caller, type Stamp, stamp } from '../caller.ts'
import { DomainError, invalid } from '../domain-error.ts'
import { newRev } from '../ids.ts'
import { isOver, type Run } from './run.ts'
import { runPk } from './run-store.ts'

/** What the agents of a run share under a name. */
export type RunValue = { value: unknown; stamp: Stamp }

const valueKey = ({ tenant, id }: Run, key: string): Key => ({ pk: runPk(tenant, id), sk: `value#${key}` })

const requireKey = (key: string): void => {
  if (!/^[A-Za-z0-9._-]{1,100}$/.test(key))
    throw invalid('#/path/key', 'INVALID', 'a key has 1 to 100 letters, digits, ".", "-" and "_"')
}

/** The value, or `NOT_FOUND`. */
export const getRunValue = async (
  { main }: Pick<Platform, 'main'>,
  run: Run,
  key: string,
): Promise<Stored<RunValue>> => {
  requireKey(key)
  const found = await main.get<RunValue>(valueKey(run, key))
  if (found === undefined) throw new DomainError('NOT_FOUND', `run ${run.id} has no value ${key}`)
  return found
}

export type ValueWish = { key: string; value: unknown; ifMatch?: string }

/** Sets a value; with `ifMatch` only while it is at that state, an empty one: while there is none. */
export const changeRunValue = async (
  ports: Pick<Platform, 'main' | 'clock' | 'random'>,
  caller: Caller,
  run: Run,
  { key, value, ifMatch }: ValueWish,
): Promise<Stored<RunValue>> => {
  requireKey(key)
  if (isOver(run))
    throw new DomainError('ALREADY_FINISHED', `run ${run.id} is ${run.state}; its values stay as they are`)
  const item: Item<RunValue> = {
    ...valueKey(run, key),
    type: 'run-value',
    value: { value, stamp: stamp(caller, 'run.value') },
  }
  const rev = newRev(ports)
  const expect = ifMatch === undefined ? 'any' : ifMatch === '' ? 'absent' : { rev: ifMatch }
  const outcome = await ports.main.write({ op: 'put', item, expect, rev })
  if (outcome.ok) return { ...item, rev }
  const now = outcome.conflicts[0]?.current?.rev
  throw new DomainError(
    'PRECONDITION_FAILED',
    `value ${key} of run ${run.id} is at ${now ?? 'nothing'}, not at ${ifMatch || 'nothing'}; read it again`,
  )
}
