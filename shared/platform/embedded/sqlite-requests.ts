import type { DatabaseSync } from 'node:sqlite'
import type { Expect, Key, Stored } from '../platform.ts'
import type {
  AddRequest,
  PurgeRequest,
  RawConflict,
  RawItem,
  RawWrite,
  TableName,
  WriteRequest,
} from './sqlite-messages.ts'
import { prepareChanges, prepareItems, type Row } from './sqlite-statements.ts'

/** How many rows one purge takes at most, so that writers never wait long for it. */
export const purgeLimit = 500

const keyOf = (write: RawWrite): Key => (write.op === 'put' ? write.item : write.key)

/** The row, unless its time is over. */
const alive = (row: Row | undefined, now: number): Row | undefined =>
  row && (row.expiresAt === null || row.expiresAt > now) ? row : undefined

const holds = (expect: Expect, row: Row | undefined): boolean =>
  expect === 'any' || (expect === 'absent' ? row === undefined : row?.rev === expect.rev)

/** Its own rev is stored already: the request was done before, and its answer was lost. */
const wasDone = (writes: RawWrite[], rows: (Row | undefined)[]): boolean => {
  const puts = writes.filter(({ op }) => op === 'put').length
  return (
    puts > 0 && puts === writes.filter((write, at) => write.op === 'put' && rows[at]?.rev === write.item.rev).length
  )
}

const typeOf = ({ item }: Row): string => (JSON.parse(item) as Stored).type

/** What the writer does with each kind of request, inside of a transaction that is not its own. */
export const createRequestRunner = (database: DatabaseSync) => {
  const tables = {
    main: prepareItems(database, 'main'),
    volatile: prepareItems(database, 'volatile'),
    workflows: prepareItems(database, 'workflows'),
  }
  const changes = prepareChanges(database)

  const put = ({ table, now }: { table: TableName; now: number }, item: RawItem, row: Row | undefined) => {
    tables[table].put(item, row)
    if (table === 'main') changes.add({ now, type: item.type, before: alive(row, now)?.item, after: item.item })
  }
  const remove = ({ table, now }: WriteRequest, row: Row): void => {
    tables[table].remove(row)
    if (table === 'main' && alive(row, now)) changes.add({ now, type: typeOf(row), before: row.item })
  }

  return {
    /** Expectations first, then all writes; answers the conflicts, if any. */
    write(request: WriteRequest): RawConflict[] | undefined {
      const { table, now, writes } = request
      const rows = writes.map((write) => tables[table].find(keyOf(write)))
      const live = rows.map((row) => alive(row, now))
      if (wasDone(writes, live)) return undefined
      const conflicts = writes.flatMap(({ expect }, at): RawConflict[] =>
        holds(expect, live[at]) ? [] : [{ at, current: live[at]?.item }],
      )
      if (conflicts.length > 0) return conflicts
      for (const [at, write] of writes.entries()) {
        const row = rows[at]
        if (write.op === 'put') put(request, write.item, row)
        else if (write.op === 'delete' && row) remove(request, row)
      }
      return undefined
    },

    /** Throws a `TypeError` when what is there is no counter. */
    add(request: AddRequest): number | undefined {
      const { table, key, now, by, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, rev } = request
      const row = tables[table].find(key)
      const known = alive(row, now)
      const item: Stored = known ? JSON.parse(known.item) : { ...key, type: 'counter', rev, value: 0 }
      if (typeof item.value !== 'number') throw new TypeError(`item ${key.pk} ${key.sk} is no counter`)
      const sum = item.value + by
      if (sum < min || sum > max) return undefined
      const { expiresAt, places } = known ?? { expiresAt: null, places: noPlaces }
      const text = JSON.stringify({ ...item, rev, value: sum })
      put(request, { ...key, type: item.type, rev, item: text, expiresAt, places }, row)
      return sum
    },

    /** Deletes a little of what is over; answers how much. */
    purge: ({ now, changesBefore }: PurgeRequest): number =>
      tables.main.purge(now, purgeLimit) +
      tables.volatile.purge(now, purgeLimit) +
      changes.purge(changesBefore, purgeLimit),

    saveCheckpoint: changes.saveCheckpoint,
    lastChange: changes.last,
    rewind: changes.rewind,
  }
}

const noPlaces: null[] = Array.from({ length: 8 }, () => null)
