import { expect } from 'vitest'
import type { Query, Table } from '#shared/platform/platform.ts'
import { aKey, allPages, anItem, stored } from '#test/support/items.ts'
import type { TableSuite } from './table-contract.ts'

const names = ['a1', 'a2', 'a3', 'b1', 'b2', 'c1']

const aShelf = async (table: Table, sks = names): Promise<string> => {
  const { pk } = aKey()
  await Promise.all(sks.toReversed().map((sk) => stored(table, anItem({ pk, sk, value: sk }))))
  return pk
}

/** What each query over `names` finds. */
const ranges: [string, Omit<Query, 'pk'>, string[]][] = [
  ['everything, in order', {}, names],
  ['everything, backwards', { order: 'descending' }, names.toReversed()],
  ['only what comes after', { after: 'a2' }, ['a3', 'b1', 'b2', 'c1']],
  ['only what comes before', { before: 'b1' }, ['a1', 'a2', 'a3']],
  ['what is between, both ends left out', { after: 'a1', before: 'b2' }, ['a2', 'a3', 'b1']],
  ['what begins alike', { prefix: 'b' }, ['b1', 'b2']],
  ['what begins alike, after', { prefix: 'a', after: 'a1' }, ['a2', 'a3']],
  ['what begins alike, before', { prefix: 'a', before: 'a3' }, ['a1', 'a2']],
  ['what begins alike, from before the prefix on', { prefix: 'b', after: 'a2' }, ['b1', 'b2']],
  ['what begins alike, backwards', { prefix: 'a', order: 'descending' }, ['a3', 'a2', 'a1']],
  ['nothing after the end', { after: 'c1' }, []],
  ['nothing between neighbours', { after: 'a1', before: 'a2' }, []],
  ['nothing between ends that are swapped', { after: 'b2', before: 'a1' }, []],
  ['nothing of another beginning', { prefix: 'x' }, []],
]

/** Lists of one `pk`, page by page, and scans. */
export const queryContract = ({ it, table }: TableSuite): void => {
  it('finds by range, prefix and order', async () => {
    const pk = await aShelf(table())
    for (const [what, range, expected] of ranges) {
      const { items } = await allPages((cursor) => table().query<string>({ pk, ...range, cursor }))
      expect({ what, found: items.map(({ value }) => value) }).toEqual({ what, found: expected })
    }
  })

  it('pages through every range without gaps or repeats', async () => {
    const pk = await aShelf(table())
    for (const [what, range, expected] of ranges) {
      const { items, pages } = await allPages((cursor) => table().query<string>({ pk, ...range, limit: 2, cursor }))
      expect({ what, found: items.map(({ value }) => value) }).toEqual({ what, found: expected })
      expect(Math.max(...pages)).toBeLessThanOrEqual(2)
    }
  })

  it('knows nothing of other partitions', async () => {
    const pk = await aShelf(table())
    expect((await table().query({ pk: `${pk}x` })).items).toEqual([])
    expect((await table().query({ pk: pk.slice(0, -1) })).items).toEqual([])
  })

  it('orders characters by their bytes at both ends of a range', async () => {
    const sks = ['a', 'é', '日', '\uffee', '\u{10000}', '🙂']
    const pk = await aShelf(table(), sks)
    const found = async (range: Partial<Query>) => (await table().query({ pk, ...range })).items.map(({ sk }) => sk)
    expect(await found({ after: '\uffee' })).toEqual(['\u{10000}', '🙂'])
    expect(await found({ before: '\u{10000}' })).toEqual(['a', 'é', '日', '\uffee'])
    expect(await found({ prefix: '🙂', after: '\uffee' })).toEqual(['🙂'])
    expect(await found({ prefix: '\uffee', before: '🙂' })).toEqual(['\uffee'])
  })

  it('cuts a page short when it examined enough, and goes on', async () => {
    const { pk } = aKey()
    const sks = Array.from({ length: 12 }, (_, at) => `n${String(at).padStart(2, '0')}`)
    const expired = (at: number): boolean => at >= 2 && at < 9
    for (const [at, sk] of sks.entries())
      await stored(table(), anItem({ pk, sk, ...(expired(at) && { expiresAt: Date.now() - 1000 }) }))
    const { items, pages } = await allPages((cursor) => table().query({ pk, limit: 3, cursor }))
    expect(items.map(({ sk }) => sk)).toEqual(sks.filter((_, at) => !expired(at)))
    expect(pages.slice(0, -1).some((length) => length < 3)).toBe(true)
  })

  it('refuses a cursor that is not its own', async () => {
    const [pk, other] = [await aShelf(table()), await aShelf(table())]
    const { cursor: foreign } = await table().query({ pk: other, limit: 1 })
    const bad = ['', 'x', '!!', 'bnVsbA', Buffer.from('{"pk":1}').toString('base64url'), foreign]
    for (const cursor of bad) await expect(table().query({ pk, cursor })).rejects.toMatchObject({ code: 'INVALID' })
    await expect(table().scan({ segment: 0, of: 1, cursor: 'x' })).rejects.toMatchObject({ code: 'INVALID' })
  })

  it('scans the whole table in segments, each item in one of them', async () => {
    const pks = await Promise.all(Array.from({ length: 12 }, () => aShelf(table(), ['a', 'b', 'c'])))
    const seen = await Promise.all(
      [0, 1, 2, 3].map(async (segment) => {
        const { items } = await allPages((cursor) => table().scan({ segment, of: 4, cursor, limit: 40 }))
        return items.filter(({ pk }) => pks.includes(pk)).map(({ pk, sk }) => `${pk} ${sk}`)
      }),
    )
    const expected = pks.flatMap((pk) => ['a', 'b', 'c'].map((sk) => `${pk} ${sk}`))
    expect(seen.flat().toSorted()).toEqual(expected.toSorted())
  })
}
