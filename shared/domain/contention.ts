import type { Item, Key, Platform, Stored, Table } from '../platform/platform.ts'
import { DomainError } from './domain-error.ts'
import { newRev } from './ids.ts'
import { writeAll } from './write-all.ts'

type Timing = Pick<Platform, 'clock' | 'random'>

/** Somebody else comes first so often at most; some ten seconds, nearly all of them pauses. */
const mostRounds = 100
/** The first ones are tried again at once. */
const quickRounds = 3
const pauseMs = { each: 10, most: 200 }
/** What many processes change all the time is given longer, and left alone for longer in between; some fifteen seconds. */
export const crowdedMs = 400

/** Too many came at once: nothing is wrong with the request, and the same again may go through. */
export const contended = (what: string): DomainError =>
  new DomainError('CONTENDED', `too many change ${what} at once; try again`)

/** Whether nothing was stored because too many came at once. */
export const isContended = (error: unknown): boolean => error instanceof DomainError && error.code === 'CONTENDED'

/** Tries again, after growing pauses, while the answer is `undefined`: somebody else came first. `CONTENDED` after too many. */
export const compete = async <T>(
  { clock, random }: Timing,
  what: string,
  once: () => Promise<{ done: T } | undefined>,
  mostPauseMs = pauseMs.most,
): Promise<T> => {
  for (let round = 0; round < mostRounds; round++) {
    const outcome = await once()
    if (outcome !== undefined) return outcome.done
    if (round >= quickRounds) await clock.sleep(random.number() * Math.min(pauseMs.each * round, mostPauseMs))
  }
  throw contended(what)
}

type Place<V> = {
  table: Table
  key: Key
  what: string
  start?: Stored<V>
  /** Stored with each change, or not at all. */
  beside?: Item[]
}

/**
 * Loads one item, unless it is there to `start` with, changes and saves it until nobody else came first. `change` answers
 * the next item, or `undefined` to leave what is stored; it may run several times. Answers what is stored then.
 */
export const changeItem = async <V>(
  timing: Timing,
  { table, key, what, start, beside = [] }: Place<V>,
  change: (value: V | undefined) => Item<V> | undefined,
): Promise<Stored<V> | undefined> => {
  let current = start ?? (await table.get<V>(key))
  const others = beside.map((item) => ({ op: 'put', item, expect: 'any' }) as const)
  return compete<Stored<V> | undefined>(timing, what, async () => {
    const item = change(current?.value)
    if (item === undefined) return { done: current }
    const rev = newRev(timing)
    const expect = current === undefined ? 'absent' : { rev: current.rev }
    const outcome = await writeAll(table, [{ op: 'put', item, expect, rev }, ...others])
    if (outcome.ok) return { done: { ...item, rev } }
    const winner = outcome.conflicts[0]?.current as Stored<V> | undefined
    current = winner ?? (await table.get<V>(key))
    return undefined
  })
}

/** The same for what is there already: the same value again leaves what is stored. */
export const changeStored = async <V>(
  timing: Timing,
  { start, ...place }: Omit<Place<V>, 'key'> & { start: Stored<V> },
  change: (value: V) => V,
  toItem: (value: V) => Item<V>,
): Promise<Stored<V>> => {
  const key = { pk: start.pk, sk: start.sk }
  const stored = await changeItem<V>(timing, { ...place, key, start }, (value) => {
    if (value === undefined) throw new DomainError('NOT_FOUND', `${place.what} is gone`)
    const next = change(value)
    return next === value ? undefined : toItem(next)
  })
  return stored ?? start
}

/** Saves what was read if nobody else did since; `undefined`: somebody came first. */
export const saveItem = async <V>(
  ports: Pick<Platform, 'main' | 'clock' | 'random'>,
  { rev: expected }: Pick<Stored, 'rev'>,
  item: Item<V>,
): Promise<Stored<V> | undefined> => {
  const rev = newRev(ports)
  const outcome = await ports.main.write({ op: 'put', item, expect: { rev: expected }, rev })
  return outcome.ok ? { ...item, rev } : undefined
}
