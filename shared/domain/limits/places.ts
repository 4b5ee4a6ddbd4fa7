import type { Item, Key, Platform, Stored } from '../../platform/platform.ts'
import { ulidTime } from '../../platform/ulid.ts'
import { newRev } from '../ids.ts'
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
  const keys = places.map(({ value }): Key => ({ pk: `${tenant}#task#${value.task}`, sk: 'head' }))
  const found: (Task | undefined)[] = []
  for (let at = 0; at < keys.length; at += 1000)
    found.push(...(await main.getMany<Task>(keys.slice(at, at + 1000))).map((item) => item?.value))
  return found
}

/** What a recount found: the counter as it was written then, and how many places there are. */
type Mismatch = { rev: string; places: number }

/**
 * Whether the counter was as wrong as this a while ago already. Who gives a place back counts it a moment later: what is
 * seen in between is no mistake, and to mend it would count that place back twice.
 */
const wasWrong = async (ports: Ports, tenant: string, limit: string, seen: Mismatch): Promise<boolean> => {
  const key: Key = { pk: limitPk(tenant, limit), sk: 'mismatch' }
  const before = await ports.volatile.get<Mismatch>(key)
  if (before?.value.rev === seen.rev && before.value.places === seen.places) return isSettled(ports, before)
  await ports.volatile.write({ op: 'put', item: { ...key, type: 'limit-mismatch', value: seen }, expect: 'any' })
  return false
}

/**
 * Finds places that nobody has, because somebody ended between two writes: each is given back. When nothing moved for
 * a while, seen twice, the counter is what the places say. Answers how many were found.
 */
export const recountPlaces = async (ports: Ports, tenant: string, limit: string): Promise<number> => {
  const before = await ports.volatile.get<number>(counterKey(tenant, limit))
  if (before === undefined) return 0
  const places = await allPlaces(ports, tenant, limit)
  const old = places.filter((place) => isSettled(ports, place))
  const heads = await headsOf(ports, tenant, old)
  let freed = 0
  for (const [at, { rev, value }] of old.entries()) {
    if (heads[at]?.lease?.counted?.[limit] === rev) continue
    if ((await leavePlace(ports, tenant, limit, { task: value.task, place: rev })) !== undefined) freed++
  }
  if (freed > 0 || !isSettled(ports, before) || before.value === places.length) return freed
  if (!(await wasWrong(ports, tenant, limit, { rev: before.rev, places: places.length }))) return freed
  const { rev: _, ...item } = before
  const write = { op: 'put', item: { ...item, value: places.length }, expect: { rev: before.rev } } as const
  return (await ports.volatile.write(write)).ok ? Math.max(0, before.value - places.length) : 0
}
