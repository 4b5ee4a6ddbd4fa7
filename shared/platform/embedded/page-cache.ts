import { LRUCache } from 'lru-cache'
import type { Key, Page, Query } from '../platform.ts'
import { freeze } from './row-cache.ts'
import type { RawItem } from './sqlite-messages.ts'

/** Of which pages, and of how many; sizes are lengths of their text. */
const mostItems = 50
const largest = 256 * 1024
const most = { max: 2000, maxSize: 16_000_000 }

const idOf = ({ pk, sk }: Key): string => `${pk.length} ${pk}${sk}`
const partOf = (index: string, pk: string): string => `${index} ${pk}`

/** Index pages that are asked for again and again and seldom change, such as who offers a capability. */
const isKept = ({ index, cursor }: Query): boolean => index === 'parent' && cursor === undefined

type Kept = { part: string; page: Page; items: string[]; size: number }

/** How long a page is as text; `undefined` for one that is too long to be kept, or that ends by itself. */
const sizeOf = ({ items }: Page): number | undefined => {
  if (items.length > mostItems || items.some(({ expiresAt }) => expiresAt !== undefined)) return undefined
  let size = 1
  for (const item of items) {
    size += JSON.stringify(item).length
    if (size > largest) return undefined
  }
  return size
}

/**
 * Short first pages of the `parent` index. Whatever is committed to one of their items, or into their partition, ends
 * them before it is acknowledged: what is kept is never older than the last acknowledged write.
 */
export const createPageCache = (placeOfParent: number) => {
  const pages = new LRUCache<string, Kept>({
    ...most,
    sizeCalculation: ({ size }) => size,
    dispose: (kept, id) => forget(id, kept),
  })
  /** Pages by their partition, and by the items on them. */
  const byPart = new Map<string, Set<string>>()
  const byItem = new Map<string, Set<string>>()

  const link = (map: Map<string, Set<string>>, key: string, id: string): void =>
    void map.set(key, (map.get(key) ?? new Set()).add(id))
  const unlink = (map: Map<string, Set<string>>, key: string, id: string): void => {
    const ids = map.get(key)
    ids?.delete(id)
    if (ids?.size === 0) map.delete(key)
  }
  const forget = (id: string, { part, items }: Kept): void => {
    unlink(byPart, part, id)
    for (const item of items) unlink(byItem, item, id)
  }
  const end = (ids: Set<string> | undefined): void => {
    for (const id of [...(ids ?? [])]) pages.delete(id)
  }

  return {
    /** The kept page, else what `read` finds. */
    get(query: Query, read: () => Page): Page {
      if (!isKept(query)) return read()
      const { index = '', pk, after, before, prefix, order, limit } = query
      const id = JSON.stringify([index, pk, after, before, prefix, order, limit])
      const kept = pages.get(id)
      if (kept) return kept.page
      const page = read()
      const size = sizeOf(page)
      if (size === undefined) return page
      const entry: Kept = { part: partOf(index, pk), page: freeze(page), items: page.items.map(idOf), size }
      pages.set(id, entry)
      link(byPart, entry.part, id)
      for (const item of entry.items) link(byItem, item, id)
      return page
    },
    /** Ends the pages that a commit changed. */
    committed(key: Key, item?: RawItem): void {
      if (pages.size === 0) return
      end(byItem.get(idOf(key)))
      const parent = item?.places[placeOfParent]
      if (parent) end(byPart.get(partOf('parent', parent)))
    },
  }
}
