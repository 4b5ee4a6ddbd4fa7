import { LRUCache } from 'lru-cache'
import { idOfKey } from '../id-of-key.ts'
import type { Key, Page, Query } from '../platform.ts'
import { freeze } from './row-cache.ts'
import type { RawItem } from './sqlite-messages.ts'

/** Of which pages, and of how many; sizes are lengths of their text. */
const mostItems = 50
const largest = 256 * 1024
const most = { max: 2000, maxSize: 16_000_000 }

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

type Written = { key: Key; item?: RawItem }

/**
 * Short first pages of the `parent` index. Whatever is written to one of their items, or into their partition, ends
 * them before it is committed, and none of these is kept until that is told: what is kept is never older than the last
 * acknowledged write, nor than what another read has shown.
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
  let [partsUnderWay, itemsUnderWay] = [new Set<string>(), new Set<string>()]

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
      const [part, items] = [partOf(index, pk), page.items.map(idOfKey)]
      if (size === undefined || partsUnderWay.has(part) || items.some((item) => itemsUnderWay.has(item))) return page
      const entry: Kept = { part, page: freeze(page), items, size }
      pages.set(id, entry)
      link(byPart, entry.part, id)
      for (const item of entry.items) link(byItem, item, id)
      return page
    },
    /** These are being written, and no others: ends the pages that this changes. */
    posted(writes: Written[]): void {
      if (writes.length === 0 && itemsUnderWay.size === 0) return
      itemsUnderWay = new Set(writes.map(({ key }) => idOfKey(key)))
      const parents = writes.flatMap(({ item }) => item?.places[placeOfParent] ?? [])
      partsUnderWay = new Set(parents.map((parent) => partOf('parent', parent)))
      if (pages.size === 0) return
      for (const id of itemsUnderWay) end(byItem.get(id))
      for (const part of partsUnderWay) end(byPart.get(part))
    },
  }
}
