import { LRUCache } from 'lru-cache'
import { idOfKey } from '../id-of-key.ts'
import type { Key, Stored } from '../platform.ts'
import type { RawItem } from './sqlite-messages.ts'

/** As the table has it: the item as JSON text; `parsed` once it was read again, frozen. */
export type Row = { item: string; expiresAt: number | null; reads?: number; parsed?: Stored }

const most = { max: 5000, maxSize: 4_000_000 }

/** Nobody can change it any more. */
export const freeze = <T>(value: T): T => {
  if (value === null || typeof value !== 'object') return value
  for (const child of Object.values(value)) freeze(child)
  return Object.freeze(value)
}

/** The item of a row: what is read often is parsed once, and nobody can change it. */
export const itemOf = <V>(row: Row): Stored<V> => {
  if (row.parsed) return row.parsed as Stored<V>
  row.reads = (row.reads ?? 0) + 1
  if (row.reads < 3) return JSON.parse(row.item) as Stored<V>
  row.parsed = freeze(JSON.parse(row.item) as Stored)
  return row.parsed as Stored<V>
}

/**
 * Rows of one table that were lately read or written. This process is the only writer of its folder and tells every
 * commit here before it acknowledges it: what is kept is never older than the last acknowledged write. A row whose write
 * is under way is read from the file each time: a query may have shown it as it is there already.
 */
export const createRowCache = () => {
  const rows = new LRUCache<string, Row>({ ...most, sizeCalculation: ({ item }) => item.length })
  let underWay = new Set<string>()
  return {
    /** The kept row, else what `read` finds. */
    get(key: Key, read: () => Row | undefined): Row | undefined {
      const id = idOfKey(key)
      if (underWay.has(id)) return read()
      const kept = rows.get(id)
      if (kept) return kept
      const found = read()
      if (found) rows.set(id, found)
      return found
    },
    /** These are being written, and no others. */
    posted(keys: Key[]): void {
      if (keys.length > 0 || underWay.size > 0) underWay = new Set(keys.map(idOfKey))
    },
    /** Takes over what was committed; without the item, that the row is another one now or gone. */
    committed(key: Key, item?: RawItem): void {
      if (item) rows.set(idOfKey(key), { item: item.item, expiresAt: item.expiresAt })
      else rows.delete(idOfKey(key))
    },
  }
}
