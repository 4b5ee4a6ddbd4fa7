import type { DatabaseSync } from 'node:sqlite'
import type { Key, Stored } from '../platform.ts'
import { prepareChanges } from './sqlite-changes.ts'
import type {
  AddRequest,
  PurgeRequest,
  RawAdd,
  RawConflict,
  RawItem,
  RawWrite,
  TableName,
  WriteRequest,
} from './sqlite-messages.ts'
import { prepareItems, type Row } from './sqlite-statements.ts'

/** How many rows one purge takes at most, so that writers never wait long for it. */
export const purgeLimit = 500

const keyOf = (write: RawWrite): Key => (write.op === 'put' ? write.item : write.key)

/** The row, unless its time is over. */
const alive = (row: Row | undefined, now: number): Row | undefined =>
  row && (row.expiresAt === null || row.expiresAt > now) ? row : undefined

/** Whether what a write wants to be true is true of the live row. */
const holds = (write: RawWrite, row: Row | undefined): boolean => {
  if (write.op === 'add') return counted(write, row) !== undefined
  const { expect } = write
  return expect === 'any' || (expect === 'absent' ? row === undefined : row?.rev === expect.rev)
}

/** The counter after an addition; `undefined`: a bound would be crossed. Throws a `TypeError` when it is no counter. */
const counted = ({ key: { pk, sk }, by, bound = {}, rev }: RawAdd, row: Row | undefined): RawItem | undefined => {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = bound
  const item: Stored = row ? JSON.parse(row.item) : { pk, sk, type: 'counter', rev, value: 0 }
  if (typeof item.value !== 'number') throw new TypeError(`item ${pk} ${sk} is no counter`)
  const value = item.value + by
  if (value < min || value > max) return undefined
  const { expiresAt, places } = row ?? { expiresAt: null, places: noPlaces }
  return { pk, sk, type: item.type, rev, item: JSON.stringify({ ...item, rev, value }), expiresAt, places }
}

const noPlaces: null[] = Array.from({ length: 8 }, () => null)

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

  type About = { table: TableName; now: number }
  const put = ({ table, now }: About, { item, untold }: { item: RawItem; untold?: true }, row: Row | undefined) => {
    const isTold = table === 'main' && !untold
    const told = isTold ? changes.add({ now, type: item.type, before: alive(row, now), after: item.item }) : null
    tables[table].put(item, row, told)
  }
  const remove = ({ table, now }: WriteRequest, row: Row): void => {
    tables[table].remove(row)
    if (table === 'main' && alive(row, now)) changes.add({ now, type: typeOf(row), before: row })
  }

  /** Nothing is expected of what is there, and nobody is told of it: it needs no look. Done twice it is the same. */
  const isBlind = ({ table, writes }: WriteRequest): boolean =>
    table !== 'main' && writes.every((write) => (write.op === 'put' || write.op === 'delete') && write.expect === 'any')
  const writeBlind = ({ table, writes }: WriteRequest): void => {
    for (const write of writes)
      if (write.op === 'put') tables[table].lay(write.item)
      else if (write.op === 'delete') tables[table].removeAt(write.key)
  }

  return {
    /** Expectations first, then all writes; answers the conflicts, if any. */
    write(request: WriteRequest): RawConflict[] | undefined {
      if (isBlind(request)) return writeBlind(request) as undefined
      const { table, now, writes } = request
      const rows = writes.map((write) => tables[table].find(keyOf(write)))
      const live = rows.map((row) => alive(row, now))
      if (wasDone(writes, live)) return undefined
      const conflicts = writes.flatMap((write, at): RawConflict[] =>
        holds(write, live[at]) ? [] : [{ at, current: live[at]?.item }],
      )
      if (conflicts.length > 0) return conflicts
      for (const [at, write] of writes.entries()) {
        const row = rows[at]
        const item = write.op === 'add' && counted(write, live[at])
        if (item) put(request, { item }, row)
        else if (write.op === 'put') put(request, write, row)
        else if (write.op === 'delete' && row) remove(request, row)
      }
      return undefined
    },

    /** The counter after the addition, unless a bound is in the way. */
    add(request: AddRequest): number | undefined {
      const { table, add, now } = request
      const row = tables[table].find(add.key)
      const item = counted(add, alive(row, now))
      if (item === undefined) return undefined
      put(request, { item }, row)
      return (JSON.parse(item.item) as Stored<number>).value
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
