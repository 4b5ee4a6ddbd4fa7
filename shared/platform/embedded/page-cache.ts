import { LRUCache } from 'lru-cache'
import { type IndexName, indexNames, type Key, type Query } from '../platform.ts'
import type { RawItem } from './sqlite-messages.ts'

/** The index whose pages are kept: what belongs to one thing changes seldom, and who offers a capability is asked for with each submit. */
const keptIndex: IndexName = 'parent'
const placeAt = indexNames.indexOf(keptIndex) * 2
/** Longer pages are read again. */
const mostRows = 10
const mostPartitions = 2000

type Pages<R> = Map<string, R[]>

const rowOf = ({ pk, sk }: Key): string => `${pk.length} ${pk}${sk}`
const pageOf = ({ order, limit, cursor, after, before, prefix }: Query): string =>
  JSON.stringify([order, limit, cursor, after, before, prefix])

/**
 * Short pages of one table that were lately read. A commit drops every page of the partition that the item is in now,
 * and of those that hold it in a page: where it was. So what is kept is never older than the last acknowledged write.
 */
export const createPageCache = <R extends Key>() => {
  /** By row, the partitions with a kept page that it is in. */
  const holders = new Map<string, Set<string>>()
  const forget = (pk: string, pages: Pages<R>): void => {
    for (const row of [...pages.values()].flat()) {
      const held = holders.get(rowOf(row))
      held?.delete(pk)
      if (held?.size === 0) holders.delete(rowOf(row))
    }
  }
  const partitions = new LRUCache<string, Pages<R>>({
    max: mostPartitions,
    noDisposeOnSet: true,
    dispose: (pages, pk) => forget(pk, pages),
  })
  const keep = (query: Query, rows: R[]): void => {
    partitions.set(query.pk, (partitions.get(query.pk) ?? new Map<string, R[]>()).set(pageOf(query), rows))
    for (const row of rows) holders.set(rowOf(row), (holders.get(rowOf(row)) ?? new Set()).add(query.pk))
  }
  return {
    /** The rows of a page: the kept ones, else what `read` finds. */
    get(query: Query, read: () => R[]): R[] {
      if (query.index !== keptIndex) return read()
      const kept = partitions.get(query.pk)?.get(pageOf(query))
      if (kept) return kept
      const rows = read()
      if (rows.length <= mostRows) keep(query, rows)
      return rows
    },
    committed(key: Key, item?: RawItem): void {
      const place = item?.places[placeAt]
      if (place) partitions.delete(place)
      for (const pk of holders.get(rowOf(key)) ?? []) partitions.delete(pk)
    },
  }
}
