import { expect } from 'vitest'
import { aKey, anItem, stored } from '#test/support/items.ts'
import type { TableSuite } from './table-contract.ts'

/** Counters: added to without reading first, within bounds. */
export const counterContract = ({ it, table }: TableSuite): void => {
  it('counts from 0, up and down', async () => {
    const key = aKey()
    expect(await table().add(key, 3)).toBe(3)
    expect(await table().add(key, -5)).toBe(-2)
    expect(await table().add(key, 0.5)).toBe(-1.5)
    expect((await table().get(key))?.value).toBe(-1.5)
  })

  it('changes nothing when a bound would be crossed', async () => {
    const key = aKey()
    expect(await table().add(key, 2, { max: 1 })).toBeUndefined()
    expect(await table().get(key)).toBeUndefined()
    expect(await table().add(key, -1, { min: 0 })).toBeUndefined()
    expect(await table().add(key, 2, { min: 0, max: 2 })).toBe(2)
    expect(await table().add(key, 1, { max: 2 })).toBeUndefined()
    expect(await table().add(key, -3, { min: 0 })).toBeUndefined()
    expect(await table().add(key, -2, { min: 0, max: 2 })).toBe(0)
    expect((await table().get(key))?.value).toBe(0)
  })

  it('gives each of many at once its own number, and none beyond the bound', async () => {
    const key = aKey()
    const answers = await Promise.all(Array.from({ length: 200 }, () => table().add(key, 1, { max: 50 })))
    const given = answers.filter((answer) => answer !== undefined)
    expect(given.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, at) => at + 1))
    expect((await table().get(key))?.value).toBe(50)
  })

  it('leaves another rev behind with each change', async () => {
    const key = aKey()
    await table().add(key, 1)
    const first = await table().get(key)
    await table().add(key, 1)
    const second = await table().get(key)
    expect(second?.rev).not.toBe(first?.rev)
    await table().add(key, 1, { max: 2 })
    expect((await table().get(key))?.rev).toBe(second?.rev)
  })

  it('goes on from a counter that was put, and keeps what else the item says', async () => {
    const counter = anItem({
      type: 'counter',
      value: 40,
      expiresAt: Date.now() + 3_600_000,
      index: { holder: { pk: 'acme#limits', sk: 'x' } },
    })
    await stored(table(), counter)
    expect(await table().add(counter, 2)).toBe(42)
    const { rev: _, ...item } = (await table().get(counter)) ?? { rev: '' }
    expect(item).toEqual({ ...counter, value: 42 })
  })

  it('counts from 0 again after a counter has expired', async () => {
    const counter = await stored(table(), anItem({ type: 'counter', value: 9, expiresAt: Date.now() - 1000 }))
    expect(await table().add(counter, 1)).toBe(1)
    expect((await table().get(counter))?.value).toBe(1)
  })
}
