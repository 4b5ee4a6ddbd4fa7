import type { Item, Key, Platform, Stored } from '../../platform/platform.ts'
import { ulidTime } from '../../platform/ulid.ts'
import { newRev } from '../ids.ts'
import { taskKey } from '../keys.ts'
import type { Task } from '../tasks/task.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random'>

/** A task's place in a limit: taken before the lease, and named in it. */
type Place = { task: string; place: string }
type PlaceItem = { task: string }

const limitPk = (tenant: string, limit: string): string => `${tenant}#limit#${limit}`
const counterKey = (tenant: string, limit: string): Key => ({ pk: limitPk(tenant, limit), sk: 'counter' })
const placePrefix = 'place#'
const placeKey = (tenant: string, limit: string, { task, place }: Place): Key => ({
  pk: limitPk(tenant, limit),
  sk: `${placePrefix}${task}#${place}`,
})

/** A new name for a place: the rev of its items, so that each of them is given back once. */
export const newPlace = (ports: Ports): string => newRev(ports)

/** Takes one of the places of a limit: counted first, named next. `false`: all are taken. */
export const takePlace = async (
  { volatile }: Ports,
  tenant: string,
  limit: { id: string; concurrency: number },
  place: Place,
): Promise<boolean> => {
  if ((await volatile.add(counterKey(tenant, limit.id), 1, { max: limit.concurrency })) === undefined) return false
  const item: Item<PlaceItem> = {
    ...placeKey(tenant, limit.id, place),
    type: 'limit-place',
    value: { task: place.task },
  }
  await volatile.write({ op: 'put', item, expect: 'any', rev: place.place })
  return true
}

/** Gives a place back, once however often it is asked to. Answers how many are taken now; `undefined`: it was back already. */
export const leavePlace = async (
  { volatile }: Pick<Platform, 'volatile'>,
  tenant: string,
  limit: string,
  place: Place,
): Promise<number | undefined> => {
  const key = placeKey(tenant, limit, place)
  const gone = await volatile.write({ op: 'delete', key, expect: { rev: place.place } })
  return gone.ok ? ((await volatile.add(counterKey(tenant, limit), -1, { min: 0 })) ?? 0) : undefined
}

/** How many places of a limit are taken. */
export const placesTaken = async (
  { volatile }: Pick<Platform, 'volatile'>,
  tenant: string,
  limit: string,
): Promise<number> => (await volatile.get<number>(counterKey(tenant, limit)))?.value ?? 0

/** Tasks that have places of a limit; up to `max`. */
export const holdersOf = async (
  { volatile }: Pick<Platform, 'volatile'>,
  tenant: string,
  limit: string,
  max = 10,
): Promise<string[]> => {
  const page = await volatile.query<PlaceItem>({ pk: limitPk(tenant, limit), prefix: placePrefix, limit: max })
  return page.items.map(({ value }) => value.task)
}

/** Long enough for whoever took a place to have claimed its task, and for whoever left one to have counted. */
const settledMs = 30_000
const isSettled = ({ clock }: Ports, { rev }: Stored): boolean => clock.now() - ulidTime(rev) >= settledMs

const allPlaces = async ({ volatile }: Ports, tenant: string, limit: string): Promise<Stored<PlaceItem>[]> => {
  const found: Stored<PlaceItem>[] = []
  let cursor: string | undefined
  do {
    const page = await volatile.query<PlaceItem>({
      pk: limitPk(tenant, limit),
      prefix: placePrefix,
      limit: 1000,
      cursor,
    })
    found.push(...page.items)
    cursor = page.cursor
  } while (cursor !== undefined)
  return found
}

const headsOf = async ({ main }: Ports, tenant: string, places: Stored<PlaceItem>[]): Promise<(Task | undefined)[]> => {
  const keys = places.map(({ value }) => taskKey(tenant, value.task))
  const found: (Task | undefined)[] = []
  for (let at = 0; at < keys.length; at += 1000)
    found.push(...(await main.getMany<Task>(keys.slice(at, at + 1000))).map((item) => item?.value))
  return found
}

/** By how much the counter was off in the last recounts, and when the last one was (ms). */
type Drift = { seen: number[]; at: number }
/** Recounts that count are so far apart. */
const apartMs = 9000
const seenOften = 5

/**
 * By how much the counter is off for certain. Who takes or gives a place back counts it a moment earlier or later: what
 * one recount sees may be no mistake, what several in a row have in common is one.
 */
const driftOf = async (ports: Ports, tenant: string, limit: string, off: number): Promise<number> => {
  const key: Key = { pk: limitPk(tenant, limit), sk: 'drift' }
  const before = (await ports.volatile.get<Drift>(key))?.value ?? { seen: [], at: Number.NEGATIVE_INFINITY }
  const at = ports.clock.now()
  if (off !== 0 && at - before.at < apartMs) return 0
  const seen = [...before.seen.filter((one) => Math.sign(one) === Math.sign(off)), off]
  const isCertain = off !== 0 && seen.length >= seenOften
  const value: Drift = { seen: isCertain || off === 0 ? [] : seen, at }
  if (before.seen.length > 0 || value.seen.length > 0)
    await ports.volatile.write({ op: 'put', item: { ...key, type: 'limit-drift', value }, expect: 'any' })
  return isCertain ? Math.sign(off) * Math.min(...seen.map(Math.abs)) : 0
}

/**
 * Finds places that nobody has, because somebody ended between two writes: each is given back. A counter that several
 * recounts found to be off is mended by what they have in common. Answers how many places were found.
 */
export const recountPlaces = async (ports: Ports, tenant: string, limit: string): Promise<number> => {
  const counter = await ports.volatile.get<number>(counterKey(tenant, limit))
  if (counter === undefined) return 0
  const places = await allPlaces(ports, tenant, limit)
  const again = await placesTaken(ports, tenant, limit) // what came or went meanwhile is no drift
  const freed = await freeUnused(ports, tenant, limit, places)
  const counted = Math.min(counter.value, again)
  const drift = await driftOf(ports, tenant, limit, counted - places.length)
  if (drift !== 0) await ports.volatile.add(counterKey(tenant, limit), -drift, { min: 0 })
  return freed + Math.max(0, drift)
}

/** Gives old places back that no lease names. */
const freeUnused = async (
  ports: Ports,
  tenant: string,
  limit: string,
  places: Stored<PlaceItem>[],
): Promise<number> => {
  const old = places.filter((place) => isSettled(ports, place))
  const heads = await headsOf(ports, tenant, old)
  let freed = 0
  for (const [at, { rev, value }] of old.entries()) {
    if (heads[at]?.lease?.counted?.[limit] === rev) continue
    if ((await leavePlace(ports, tenant, limit, { task: value.task, place: rev })) !== undefined) freed++
  }
  return freed
}
