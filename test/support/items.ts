import { randomBytes } from 'node:crypto'
import type { Expect, Item, Key, Outcome, Rev, Stored, Table, Write } from '#shared/platform/platform.ts'
import { ulid } from '#shared/platform/ulid.ts'

/** An id that no other test has. */
export const aUlid = (): string => ulid(Date.now(), randomBytes)

/** A key that no other test has. */
export const aKey = (sk = 'head'): Key => ({ pk: `acme#note#${aUlid()}`, sk })

/** A note with a key of its own, with whatever matters to the test changed. */
export const anItem = <V = unknown>(change: Partial<Item<V>> & { value?: V } = {}): Item<V> => ({
  ...aKey(),
  type: 'note',
  value: 'text' as V,
  ...change,
})

export const keyOf = ({ pk, sk }: Key): Key => ({ pk, sk })

export const aPut = (item: Item, expect: Expect = 'absent', rev?: Rev): Write => ({
  op: 'put',
  item,
  expect,
  ...(rev && { rev }),
})

/** The revs of an outcome that must be a success. */
export const revsOf = (outcome: Outcome): Rev[] => {
  if (outcome.ok) return outcome.revs
  throw new Error(`expected a success, received conflicts ${JSON.stringify(outcome.conflicts)}`)
}

/** Puts whatever is there now and answers the item as it is stored. */
export const stored = async <V>(table: Table, item: Item<V>): Promise<Stored<V>> => {
  const [rev = ''] = revsOf(await table.write(aPut(item, 'any')))
  return { ...item, rev }
}

/** Everything of a paged list; `pages` keeps how long each page was. */
export const allPages = async <T>(
  page: (cursor: string | undefined) => Promise<{ items: T[]; cursor?: string }>,
): Promise<{ items: T[]; pages: number[] }> => {
  const items: T[] = []
  const pages: number[] = []
  let cursor: string | undefined
  do {
    const next = await page(cursor)
    items.push(...next.items)
    pages.push(next.items.length)
    cursor = next.cursor
  } while (cursor !== undefined)
  return { items, pages }
}
