import { expect } from 'vitest'
import { indexNames } from '#shared/platform/platform.ts'
import { eventually } from '#test/support/eventually.ts'
import { allPages, anItem, aUlid, keyOf, stored } from '#test/support/items.ts'
import type { TableSuite } from './table-contract.ts'

/** Lists by index: membership may lag, values may not. */
export const indexContract = ({ it, table }: TableSuite): void => {
  const found = async (index: (typeof indexNames)[number], pk: string): Promise<unknown[]> =>
    (await table().query({ index, pk })).items.map(({ value }) => value)

  it('lists an item in each index it names, and in no other', async () => {
    for (const name of indexNames) {
      const pk = `acme#${name}#${aUlid()}`
      const item = await stored(table(), anItem({ index: { [name]: { pk, sk: '1' } } }))
      await eventually(async () => expect((await table().query({ index: name, pk })).items).toEqual([item]))
      for (const other of indexNames.filter((one) => one !== name)) expect(await found(other, pk)).toEqual([])
    }
  })

  it('holds an item in several indexes at once', async () => {
    const pk = `acme#many#${aUlid()}`
    const index = Object.fromEntries(indexNames.map((name) => [name, { pk: `${pk}#${name}`, sk: '1' }]))
    const item = await stored(table(), anItem({ index }))
    for (const name of indexNames)
      await eventually(async () =>
        expect((await table().query({ index: name, pk: `${pk}#${name}` })).items).toEqual([item]),
      )
  })

  it('shows each change of what was just listed, in whatever index', async () => {
    for (const name of indexNames) {
      const [here, there] = [`acme#here#${aUlid()}`, `acme#there#${aUlid()}`]
      const at = (pk: string, value: unknown) => ({ ...item, value, index: { [name]: { pk, sk: '1' } } })
      const shows = (pk: string, values: unknown[]) =>
        eventually(async () => expect(await found(name, pk)).toEqual(values))
      const item = anItem()
      await shows(here, [])
      await stored(table(), at(here, 'new'))
      await shows(here, ['new'])
      await stored(table(), at(here, 'changed'))
      await shows(here, ['changed'])
      await shows(there, [])
      await stored(table(), at(there, 'moved'))
      await shows(here, [])
      await shows(there, ['moved'])
      await table().write({ op: 'delete', key: keyOf(item), expect: 'any' })
      await shows(there, [])
    }
  })

  it('shows the current value of what it lists', async () => {
    const pk = `acme#list#${aUlid()}`
    const item = anItem({ value: 'old', index: { list: { pk, sk: '1' } } })
    await stored(table(), item)
    await eventually(async () => expect(await found('list', pk)).toEqual(['old']))
    await stored(table(), { ...item, value: 'new' })
    expect(await found('list', pk)).toEqual(['new'])
  })

  it('forgets what left the index, moved in it, or was deleted', async () => {
    const [pk, elsewhere] = [`acme#due#${aUlid()}`, `acme#due#${aUlid()}`]
    const [leaves, moves, goes, stays] = [1, 2, 3, 4].map((sk) =>
      anItem({ value: sk, index: { due: { pk, sk: String(sk) } } }),
    )
    if (!leaves || !moves || !goes || !stays) throw new Error('four items')
    for (const item of [leaves, moves, goes, stays]) await stored(table(), item)
    await eventually(async () => expect(await found('due', pk)).toEqual([1, 2, 3, 4]))
    await stored(table(), { ...leaves, index: undefined })
    await stored(table(), { ...moves, index: { due: { pk: elsewhere, sk: '1' } } })
    await table().write({ op: 'delete', key: keyOf(goes), expect: 'any' })
    await eventually(async () => expect(await found('due', pk)).toEqual([4]))
    await eventually(async () => expect(await found('due', elsewhere)).toEqual([2]))
  })

  it('orders by the index key, whatever the items are called', async () => {
    const pk = `acme#list#${aUlid()}`
    const sks = ['3', '1', '2']
    for (const sk of sks) await stored(table(), anItem({ value: sk, index: { list: { pk, sk } } }))
    await eventually(async () => expect(await found('list', pk)).toEqual(['1', '2', '3']))
    const { items } = await table().query({ index: 'list', pk, order: 'descending', after: '1' })
    expect(items.map(({ value }) => value)).toEqual(['3', '2'])
  })

  it('lists keys alone, with their places, by the same ranges', async () => {
    const pk = `acme#holder#${aUlid()}`
    const places = ['a1', 'a2', 'b1', 'b2']
    const items = places.map((sk) => anItem({ index: { holder: { pk, sk } } }))
    for (const item of items) await stored(table(), item)
    const all = items.map((item, at) => ({ ...keyOf(item), place: places[at] }))
    const listed = (more: object = {}) =>
      allPages((cursor) => table().queryKeys({ index: 'holder', pk, limit: 2, cursor, ...more }))
    await eventually(async () => expect(await listed()).toEqual({ items: all, pages: expect.anything() }))
    expect((await listed({ prefix: 'b' })).items).toEqual(all.slice(2))
    expect((await listed({ order: 'descending', before: 'b2' })).items).toEqual(all.slice(0, 3).toReversed())
    expect(await table().queryKeys({ index: 'holder', pk: 'acme#nobody' })).toEqual({ items: [] })
  })

  it('pages through items that share one index key', async () => {
    const pk = `acme#holder#${aUlid()}`
    const expected = Array.from({ length: 7 }, (_, at) => at)
    await Promise.all(
      expected.map((value) => stored(table(), anItem({ value, index: { holder: { pk, sk: 'same' } } }))),
    )
    await eventually(async () => {
      const { items } = await allPages((cursor) => table().query<number>({ index: 'holder', pk, limit: 2, cursor }))
      expect(items.map(({ value }) => value).toSorted()).toEqual(expected)
    })
  })

  it('refuses a cursor of another index', async () => {
    const pk = `acme#both#${aUlid()}`
    const index = { list: { pk, sk: '1' }, parent: { pk, sk: '1' } }
    for (const _ of [1, 2, 3]) await stored(table(), anItem({ index }))
    const cursor = await eventually(async () => {
      const page = await table().query({ index: 'list', pk, limit: 1 })
      expect(page.cursor).toBeDefined()
      return page.cursor
    })
    await expect(table().query({ index: 'parent', pk, cursor })).rejects.toMatchObject({ code: 'INVALID' })
  })
}
