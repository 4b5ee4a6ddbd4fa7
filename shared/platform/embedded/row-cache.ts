import { LRUCache } from 'lru-cache'
import type { Key } from '../platform.ts'
import type { RawItem } from './sqlite-messages.ts'

/** As the table has it: the item as JSON text. */
export type Row = { item: string; expiresAt: number | null }

const most = { max: 5000, maxSize: 4_000_000 }

const idOf = ({ pk, sk }: Key): string => `${pk.length} ${pk}${sk}`

/**
 * Rows of one table that were lately read or written. This process is the only writer of its folder and tells every
 * commit here before it acknowledges it: what is kept is never older than the last acknowledged write.
 */
export const createRowCache = () => {
  const rows = new LRUCache<string, Row>({ ...most, sizeCalculation: ({ item }) => item.length })
  return {
    /** The kept row, else what `read` finds. */
    get(key: Key, read: () => Row | undefined): Row | undefined {
      const id = idOf(key)
      const kept = rows.get(id)
      if (kept) return kept
      const found = read()
      if (found) rows.set(id, found)
      return found
    },
    /** Takes over what was committed; without the item, that the row is another one now or gone. */
    committed(key: Key, item?: RawItem): void {
      if (item) rows.set(idOf(key), { item: item.item, expiresAt: item.expiresAt })
      else rows.delete(idOf(key))
    },
  }
}
