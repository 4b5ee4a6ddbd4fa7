import { describe, expect, it } from 'vitest'
import { createPageCache } from '#shared/platform/embedded/page-cache.ts'
import type { RawItem } from '#shared/platform/embedded/sqlite-messages.ts'
import type { Key, Page, Stored } from '#shared/platform/platform.ts'

const item = (sk: string, more: Partial<Stored> = {}): Stored => ({
  pk: 'p',
  sk,
  rev: 'r',
  type: 't',
  value: 1,
  ...more,
})
const raw = (sk: string, parent: string | null): RawItem =>
  ({ pk: 'p', sk, places: [null, null, parent, 'x'] }) as unknown as RawItem
const reader = (page: Page) => {
  const reads = { count: 0 }
  const read = (): Page => {
    reads.count++
    return page
  }
  return { reads, read }
}
const query = { index: 'parent', pk: 'offers' } as const

describe('kept pages', () => {
  it('are read once, until one of their items or their partition changes, and each time while that is under way', () => {
    const cache = createPageCache(2)
    const { reads, read } = reader({ items: [item('a')] })
    const get = () => cache.get(query, read)
    const getTwice = () => [get(), get()]
    const write = (key: Key, raw?: RawItem) => {
      cache.posted([{ key, ...(raw && { item: raw }) }])
      getTwice()
      cache.posted([])
      getTwice()
    }
    getTwice()
    expect(reads.count).toBe(1)
    write({ pk: 'p', sk: 'b' }, raw('b', 'others'))
    expect(reads.count).toBe(1)
    write({ pk: 'p', sk: 'a' }, raw('a', null)) // it leaves the partition
    expect(reads.count).toBe(4)
    write({ pk: 'p', sk: 'c' }, raw('c', 'offers')) // another one enters it
    expect(reads.count).toBe(7)
    write({ pk: 'p', sk: 'a' }) // deleted
    expect(reads.count).toBe(10)
  })

  it('take a bounded room: a long one is not kept, and of others those that were asked for last', () => {
    const cache = createPageCache(2)
    const long = reader({ items: [item('a', { value: 'x'.repeat(300_000) })] })
    for (let times = 0; times < 2; times++) cache.get(query, long.read)
    expect(long.reads.count).toBe(2)
    const some = reader({ items: [item('a', { value: 'x'.repeat(200_000) })] })
    const ask = (n: number) => cache.get({ ...query, pk: `offers${n}` }, some.read)
    for (let n = 0; n < 200; n++) ask(n)
    ask(199)
    expect(some.reads.count).toBe(200)
    ask(0)
    expect(some.reads.count).toBe(201)
  })

  it('are none where there is a cursor, another index, or an item that expires', () => {
    const cache = createPageCache(2)
    const plain = reader({ items: [item('a')] })
    for (const other of [{ ...query, cursor: 'c' }, { ...query, index: 'list' as const }, { pk: 'offers' }])
      for (let times = 0; times < 2; times++) cache.get(other, plain.read)
    expect(plain.reads.count).toBe(6)
    const mortal = reader({ items: [item('a', { expiresAt: 1 })] })
    for (let times = 0; times < 2; times++) cache.get(query, mortal.read)
    expect(mortal.reads.count).toBe(2)
  })
})
