import type { Key, Platform } from '../../platform/platform.ts'
import { processMemory } from '../process-memory.ts'
import { type Connection, connectionSeconds, type Watch } from './connection.ts'

type Volatile = Pick<Platform, 'volatile'>

/** All that watch a topic have one place, those of one entity a part of it. */
const watchesPk = (tenant: string, topic: string): string => `${tenant}#watches#${topic}`
const everything = '*'
/** Whose watch it is. */
type Watching = { connection: string; ref?: string }
const partOf = (id: string = everything): string => `${id}#`
const watchKey = ({ tenant, id }: Pick<Connection, 'tenant' | 'id'>, watch: Watch): Key => ({
  pk: watchesPk(tenant, watch.topic),
  sk: `${partOf(watch.id)}${id}`,
})
const watchedKey = (tenant: string, topic: string): Key => ({ pk: `${tenant}#watched#${topic}`, sk: 'head' })

/** How long a topic counts as watched after the last subscription: longer than its connection lives. */
const watchedMs = (connectionSeconds + 3600) * 1000
/** So long nobody says again that it is. */
const sparedMs = 600_000

const marked = processMemory<number>()

/** From now on changes of the topic are looked at: whoever asks for nothing costs nothing. */
const markWatched = async ({ volatile, clock }: Volatile & Pick<Platform, 'clock'>, key: Key): Promise<void> => {
  const now = clock.now()
  const memory = marked(volatile)
  if (now - (memory.get(key.pk) ?? 0) < sparedMs) return
  const item = { ...key, type: 'watched', value: now, expiresAt: now + watchedMs }
  await volatile.write({ op: 'put', item, expect: 'any' })
  memory.set(key.pk, now)
}

/** Changes that are stored after this are told. */
export const addWatch = async (
  ports: Volatile & Pick<Platform, 'clock'>,
  connection: Connection,
  watch: Watch,
): Promise<void> => {
  const { id, tenant, expiresAt } = connection
  await markWatched(ports, watchedKey(tenant, watch.topic))
  const value: Watching = { connection: id, ...(watch.ref !== undefined && { ref: watch.ref }) }
  const item = { ...watchKey(connection, watch), type: 'watch', value, expiresAt }
  await ports.volatile.write({ op: 'put', item, expect: 'any' })
}

export const dropWatch = async (
  { volatile }: Volatile,
  connection: Pick<Connection, 'tenant' | 'id'>,
  watch: Watch,
): Promise<void> => {
  await volatile.write({ op: 'delete', key: watchKey(connection, watch), expect: 'any' })
}

/** Which of the topics anybody may watch, in their order. */
export const areWatched = async (
  { volatile }: Volatile,
  topics: { tenant: string; topic: string }[],
): Promise<boolean[]> =>
  topics.length === 0
    ? []
    : (await volatile.getMany(topics.map(({ tenant, topic }) => watchedKey(tenant, topic)))).map(
        (found) => found !== undefined,
      )

/** Up to so many entities are asked for one by one; of more the whole topic is read. */
const fewIds = 8

export type Watcher = Watching & { id?: string }

/** The connections that watch the topic, or one of these entities of it: of any, without them. */
export const watchersOf = async (
  ports: Volatile,
  { tenant, topic, ids }: { tenant: string; topic: string; ids?: string[] },
): Promise<Watcher[]> => {
  const pk = watchesPk(tenant, topic)
  if (ids === undefined || ids.length > fewIds) return readWatchers(ports, pk)
  const parts = [everything, ...ids].map((id) => readWatchers(ports, pk, partOf(id)))
  return (await Promise.all(parts)).flat()
}

const readWatchers = async ({ volatile }: Volatile, pk: string, prefix?: string): Promise<Watcher[]> => {
  const found: Watcher[] = []
  let cursor: string | undefined
  do {
    const page = await volatile.query<Watching>({ pk, prefix, limit: 1000, cursor })
    for (const { sk, value } of page.items) {
      const id = sk.slice(0, -value.connection.length - 1)
      found.push({ ...value, ...(id !== everything && { id }) })
    }
    cursor = page.cursor
  } while (cursor !== undefined)
  return found
}
