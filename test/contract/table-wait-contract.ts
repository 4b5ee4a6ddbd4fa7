import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { aKey, anItem, keyOf, stored } from '#test/support/items.ts'
import type { TableSuite } from './table-contract.ts'

const timed = async <T>(work: () => Promise<T>): Promise<{ value: T; ms: number }> => {
  const began = performance.now()
  const value = await work()
  return { value, ms: performance.now() - began }
}

/** Waiting for the next change of one item. */
export const waitContract = ({ it, table }: TableSuite): void => {
  it('answers at once when the rev is another one already', async () => {
    const first = await stored(table(), anItem({ value: 1 }))
    const second = await stored(table(), { ...first, value: 2 })
    const { value, ms } = await timed(() => table().waitForChange(first, first.rev, 5000))
    expect(value).toMatchObject({ value: 2, rev: second.rev })
    expect(ms).toBeLessThan(1000)
  })

  it('answers what is stored when nothing changes', async () => {
    const item = await stored(table(), anItem())
    const { value, ms } = await timed(() => table().waitForChange(item, item.rev, 150))
    expect(value).toEqual(item)
    expect(ms).toBeGreaterThan(140)
    expect(await table().waitForChange(item, item.rev, 0)).toEqual(item)
  })

  it('wakes everyone who waits for a change, a creation or a deletion', async () => {
    const changed = await stored(table(), anItem({ value: 1 }))
    const deleted = await stored(table(), anItem())
    const created = aKey()
    const waiting = timed(() =>
      Promise.all([
        ...Array.from({ length: 5 }, () => table().waitForChange(changed, changed.rev, 10_000)),
        table().waitForChange(created, undefined, 10_000),
        table().waitForChange(deleted, deleted.rev, 10_000),
      ]),
    )
    await sleep(50)
    const next = await stored(table(), { ...keyOf(changed), type: 'note', value: 2 })
    const fresh = await stored(table(), anItem(created))
    await table().write({ op: 'delete', key: keyOf(deleted), expect: 'any' })
    const { value, ms } = await waiting
    expect(value).toEqual([next, next, next, next, next, fresh, undefined])
    expect(ms).toBeLessThan(6000)
  })

  it('tells of a counter that moves', async () => {
    const key = aKey()
    const waiting = table().waitForChange(key, undefined, 10_000)
    await table().add(key, 7)
    expect((await waiting)?.value).toBe(7)
  })

  it('does not answer for the changes of other items', async () => {
    const item = await stored(table(), anItem())
    const waiting = timed(() => table().waitForChange(item, item.rev, 300))
    await stored(table(), anItem())
    await stored(table(), anItem({ pk: item.pk, sk: 'other' }))
    const { value, ms } = await waiting
    expect(value).toEqual(item)
    expect(ms).toBeGreaterThan(290)
  })
}
