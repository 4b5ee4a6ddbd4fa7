import type { Item, Key, Outcome, Platform, Stored } from '../../platform/platform.ts'
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

/**
 * Takes one of the places of a limit: counted and named in one write. `false`: all are taken. A full limit is refused by
 * a read, which is in nobody's way.
 */
export const takePlace = async (
  { volatile }: Pick<Platform, 'volatile'>,
  tenant: string,
  { id, concurrency }: { id: string; concurrency: number },
  place: Place,
): Promise<boolean> => {
  if ((await placesTaken({ volatile }, tenant, id)) >= concurrency) return false
  const value: PlaceItem = { task: place.task }
  const item: Item<PlaceItem> = { ...placeKey(tenant, id, place), type: 'limit-place', value }
  const outcome = await volatile.transact([
    { op: 'put', item, expect: 'absent', rev: place.place },
    { op: 'add', key: counterKey(tenant, id), by: 1, bound: { max: concurrency } },
  ])
  return outcome.ok
}

/** Gives a place back, once however often it is asked to. `false`: it was back already. */
export const leavePlace = async (
  { volatile }: Pick<Platform, 'volatile'>,
  tenant: string,
  limit: string,
  place: Place,
): Promise<boolean> => {
  const key = counterKey(tenant, limit)
  const leave = (by: number): Promise<Outcome> =>
    volatile.transact([
      { op: 'delete', key: placeKey(tenant, limit, place), expect: { rev: place.place } },
      { op: 'add', key, by, bound: { min: 0 } },
    ])
  const outcome = await leave(-1)
  if (outcome.ok) return true
  if (outcome.conflicts.some(({ at }) => at === 0)) return false
  return (await leave(0)).ok // a counter from before the place was taken; it still tells recounts that one left
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

/** A place that no lease names by then is given back; whoever took it names it well before, or not any more. */
const settledMs = 30_000
const usableMs = 15_000
const ageOf = ({ clock }: Pick<Platform, 'clock'>, place: string): number => clock.now() - ulidTime(place)

/** Whether a lease may name a place: nobody can have given it back as one that was forgotten. */
export const isUsable = (ports: Pick<Platform, 'clock'>, place: string): boolean => ageOf(ports, place) < usableMs

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

/**
 * Finds places that nobody has, because somebody ended between two writes: each is given back. A counter that says
 * another number than there are places, as one from a backup may, is set right. Answers how many places were found.
 */
export const recountPlaces = async (ports: Ports, tenant: string, limit: string): Promise<number> => {
  const counter = await ports.volatile.get<number>(counterKey(tenant, limit))
  const places = await allPlaces(ports, tenant, limit)
  const off = (counter?.value ?? 0) - places.length
  const isMended = off !== 0 && (await setCounter(ports, { ...counterKey(tenant, limit), counter }, places.length))
  return (isMended ? Math.max(0, off) : 0) + (await freeUnused(ports, tenant, limit, places))
}

/** Whoever comes or goes moves the rev of the counter: what was counted is true, or nothing is written. */
const setCounter = async (
  ports: Ports,
  { pk, sk, counter }: Key & { counter?: Stored<number> },
  value: number,
): Promise<boolean> => {
  const item: Item<number> = { type: 'counter', ...counter, pk, sk, value }
  const expect = counter === undefined ? 'absent' : { rev: counter.rev }
  return (await ports.volatile.write({ op: 'put', item, expect, rev: newRev(ports) })).ok
}

/** Gives old places back that no lease names. */
const freeUnused = async (
  ports: Ports,
  tenant: string,
  limit: string,
  places: Stored<PlaceItem>[],
): Promise<number> => {
  const old = places.filter(({ rev }) => ageOf(ports, rev) >= settledMs)
  const heads = await headsOf(ports, tenant, old)
  let freed = 0
  for (const [at, { rev, value }] of old.entries()) {
    if (heads[at]?.lease?.counted?.[limit] === rev) continue
    if (await leavePlace(ports, tenant, limit, { task: value.task, place: rev })) freed++
  }
  return freed
}
