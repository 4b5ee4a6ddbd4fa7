import type { DatabaseSync } from 'node:sqlite'
import {
  type Add,
  type Clock,
  type Conflict,
  type Item,
  indexNames,
  type Key,
  type Outcome,
  type Page,
  type Query,
  type Random,
  type Rev,
  type Stored,
  type Table,
  type Write,
} from '../platform.ts'
import { ulid } from '../ulid.ts'
import { checkTransaction, checkWrite, valueText } from '../write-rules.ts'
import { createChangeWaiters } from './change-waiters.ts'
import { createPageCache } from './page-cache.ts'
import { createRowCache, itemOf, type Row } from './row-cache.ts'
import type { RawConflict, RawItem, RawWrite, TableName, WriterRequest } from './sqlite-messages.ts'
import { readKeys, readQuery, readScan } from './sqlite-queries.ts'
import type { WriterThread } from './writer-thread.ts'

/** A timer may fire so long before its time. */
const earlyMs = 5

/** An item as text, its value last: it is turned into JSON once, and read back as it is. */
const toText = (item: Item, rev: Rev, maxBytes?: number): string => {
  const { pk, sk, type, index, expiresAt } = item
  return `${JSON.stringify({ pk, sk, type, rev, index, expiresAt }).slice(0, -1)},"value":${valueText(item, maxBytes)}}`
}

const toRaw = (item: Item, rev: Rev, maxBytes?: number): RawItem => ({
  pk: item.pk,
  sk: item.sk,
  type: item.type,
  rev,
  item: toText(item, rev, maxBytes),
  expiresAt: item.expiresAt ?? null,
  places: indexNames.flatMap((name) => [item.index?.[name]?.pk ?? null, item.index?.[name]?.sk ?? null]),
})

const toConflict = ({ at, current }: RawConflict): Conflict => ({
  at,
  ...(current !== undefined && { current: JSON.parse(current) as Stored }),
})

/** What a write leaves behind. */
const revOf = (write: RawWrite): Rev => {
  if (write.op === 'put') return write.item.rev
  return write.op === 'add' ? write.rev : ''
}

/** The rows of a table that a request may change, and what is put there. */
const writtenBy = (request: WriterRequest, table: TableName): { key: Key; item?: RawItem }[] => {
  if (request.kind === 'add') return request.table === table ? [{ key: request.add.key }] : []
  if (request.kind !== 'write' || request.table !== table) return []
  return request.writes.map((write) =>
    write.op === 'put' ? { key: write.item, item: write.item } : { key: write.key },
  )
}

type Options = {
  name: TableName
  reader: DatabaseSync
  writer: WriterThread
  clock: Clock
  random: Random
  /** The most a value may have. @default what every host can hold */
  maxBytes?: number
  /** Rows that were lately written are kept in memory. @default true */
  cached?: boolean
}

export type SqliteTable = Table & {
  /** Any number of writes of distinct keys, all or nothing: no other host could. */
  writeTogether(writes: Write[]): Promise<Outcome>
  /** Ends every wait for a change, also those to come. */
  close(): void
}

/** A table in SQLite: writes go to the writer thread, reads happen here and see every acknowledged write. */
export const createSqliteTable = ({
  name,
  reader,
  writer,
  clock,
  random,
  maxBytes,
  cached = true,
}: Options): SqliteTable => {
  const find = reader.prepare(`SELECT item, expires_at AS expiresAt FROM ${name} WHERE pk = ? AND sk = ?`)
  const cache = cached ? createRowCache() : undefined
  const pages = cached ? createPageCache(2 * indexNames.indexOf('parent')) : undefined
  const waiters = createChangeWaiters()
  writer.onCommit((table, key, item) => {
    if (table !== name) return
    cache?.committed(key, item)
    waiters.notify(key)
  })
  if (cached)
    writer.onPost((requests) => {
      const written = requests.flatMap((request) => writtenBy(request, name))
      cache?.posted(written.map(({ key }) => key))
      pages?.posted(written)
    })
  const mint = (): Rev => ulid(clock.now(), (length) => random.bytes(length))

  const read = <V>(key: Key): Stored<V> | undefined => {
    const look = (): Row | undefined => find.get(key.pk, key.sk) as Row | undefined
    const row = cache ? cache.get(key, look) : look()
    const live = row && (row.expiresAt === null || row.expiresAt > clock.now())
    return live ? itemOf<V>(row) : undefined
  }
  const plan = (write: Write | Add): RawWrite => {
    if (write.op === 'add') return { ...write, rev: mint() }
    if (write.op !== 'put') return write
    const { item, expect, untold } = write
    return { op: 'put', item: toRaw(item, write.rev ?? mint(), maxBytes), expect, ...(untold && { untold }) }
  }
  const send = async (writes: (Write | Add)[]): Promise<Outcome> => {
    const planned = writes.map(plan)
    const conflicts = await writer.send({ kind: 'write', table: name, now: clock.now(), writes: planned })
    if (conflicts) return { ok: false, conflicts: conflicts.map(toConflict) }
    return { ok: true, revs: planned.map(revOf) }
  }
  /** How long an item may be waited for: its expiry is a change too. */
  const patience = (item: Stored | undefined, until: number): number =>
    Math.min(until, (item?.expiresAt ?? until) + earlyMs) - clock.now()

  return {
    get: async (key) => read(key),
    getMany: async (keys) => keys.map((key) => read(key)),
    async write(write) {
      checkWrite(write)
      return send([write])
    },
    async transact(writes) {
      checkTransaction(writes)
      return send(writes)
    },
    writeTogether: send,
    async query<V>(query: Query) {
      const look = (): Page => readQuery(reader, name, query, clock.now())
      return (pages ? pages.get(query, look) : look()) as Page<V>
    },
    queryKeys: async (query) => readKeys(reader, name, query),
    scan: async (part) => readScan(reader, name, part, clock.now()),
    async add(key, by, bound) {
      checkWrite({ op: 'add', key, by })
      return writer.send({
        kind: 'add',
        table: name,
        now: clock.now(),
        add: { op: 'add', key, by, bound, rev: mint() },
      })
    },
    async waitForChange<V>(key: Key, than: Rev | undefined, ms: number) {
      const until = clock.now() + ms
      const item = read<V>(key)
      if (item?.rev !== than || ms <= 0) return item
      await waiters.wait(key, patience(item, until))
      return read<V>(key)
    },
    close: () => waiters.close(),
  }
}
