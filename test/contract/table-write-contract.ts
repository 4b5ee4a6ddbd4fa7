import { expect } from 'vitest'
import { aKey, anItem, aPut, aUlid, keyOf, revsOf, stored } from '#test/support/items.ts'
import type { TableSuite } from './table-contract.ts'

const kilobytes = (count: number): string => 'é'.repeat(count * 512)

/** One write at a time: expectations, conflicts, lost acknowledgements, sizes, keys. */
export const writeContract = ({ it, table }: TableSuite): void => {
  it('gives back what was put, with the rev of the write', async () => {
    const item = anItem({
      value: { text: 'ü', list: [1, null, { deep: true }], empty: '', none: {}, __proto__x: 1 },
      index: { list: { pk: 'acme#notes', sk: aUlid() } },
      expiresAt: Date.now() + 3_600_000,
    })
    const [rev] = revsOf(await table().write(aPut(item)))
    expect(rev).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/)
    expect(await table().get(item)).toEqual({ ...item, rev })
  })

  it('has nothing at a key that was never written', async () => {
    expect(await table().get(aKey())).toBeUndefined()
  })

  it('puts an absent item once; the conflict carries what is stored', async () => {
    const first = await stored(table(), anItem({ value: 'first' }))
    const again = await table().write(aPut({ ...keyOf(first), type: 'note', value: 'second' }, 'absent'))
    expect(again).toEqual({ ok: false, conflicts: [{ at: 0, current: first }] })
    expect(await table().get(first)).toEqual(first)
  })

  it('replaces an item under its rev, and never under an earlier one', async () => {
    const first = await stored(table(), anItem({ value: 1 }))
    const { rev: _, ...item } = first
    const [rev = ''] = revsOf(await table().write(aPut({ ...item, value: 2 }, { rev: first.rev })))
    expect(rev).not.toBe(first.rev)
    const stale = await table().write(aPut({ ...item, value: 3 }, { rev: first.rev }))
    expect(stale).toEqual({ ok: false, conflicts: [{ at: 0, current: { ...item, value: 2, rev } }] })
  })

  it('does not replace what is not there', async () => {
    const outcome = await table().write(aPut(anItem(), { rev: aUlid() }))
    expect(outcome).toEqual({ ok: false, conflicts: [{ at: 0 }] })
  })

  it('puts and deletes whatever is there when anything is expected', async () => {
    const item = anItem({ value: 1 })
    await stored(table(), item)
    const second = await stored(table(), { ...item, value: 2 })
    expect(await table().get(item)).toEqual(second)
    for (const _ of [1, 2])
      expect(await table().write({ op: 'delete', key: keyOf(item), expect: 'any' })).toMatchObject({ ok: true })
    expect(await table().get(item)).toBeUndefined()
  })

  it('deletes under the rev only, and forgets the item', async () => {
    const item = await stored(table(), anItem())
    const key = keyOf(item)
    const stale = await table().write({ op: 'delete', key, expect: { rev: aUlid() } })
    expect(stale).toEqual({ ok: false, conflicts: [{ at: 0, current: item }] })
    expect(await table().write({ op: 'delete', key, expect: { rev: item.rev } })).toEqual({ ok: true, revs: [''] })
    expect(await table().get(key)).toBeUndefined()
    expect(revsOf(await table().write(aPut(anItem({ ...key, value: 'new' }))))).toHaveLength(1)
  })

  it('checks without writing', async () => {
    const item = await stored(table(), anItem())
    const key = keyOf(item)
    expect(await table().write({ op: 'check', key, expect: { rev: item.rev } })).toEqual({ ok: true, revs: [''] })
    expect(await table().write({ op: 'check', key, expect: 'absent' })).toEqual({
      ok: false,
      conflicts: [{ at: 0, current: item }],
    })
    expect(await table().get(key)).toEqual(item)
    expect(await table().write({ op: 'check', key: aKey(), expect: 'absent' })).toMatchObject({ ok: true })
  })

  it('answers ok to a write that is repeated because its answer was lost', async () => {
    const item = anItem({ value: 1 })
    const [first, second] = [aUlid(), aUlid()]
    for (const _ of [1, 2])
      expect(await table().write(aPut(item, 'absent', first))).toEqual({ ok: true, revs: [first] })
    const replaced = aPut({ ...item, value: 2 }, { rev: first }, second)
    for (const _ of [1, 2]) expect(await table().write(replaced)).toEqual({ ok: true, revs: [second] })
    expect(await table().get(item)).toEqual({ ...item, value: 2, rev: second })
  })

  it('does not let a repeated write undo a later one', async () => {
    const item = anItem({ value: 1 })
    const first = aUlid()
    await table().write(aPut(item, 'absent', first))
    const later = await stored(table(), { ...item, value: 2 })
    expect(await table().write(aPut(item, 'absent', first))).toEqual({
      ok: false,
      conflicts: [{ at: 0, current: later }],
    })
  })

  it('keeps values of 300 KB', async () => {
    const item = await stored(table(), anItem({ value: { body: kilobytes(300) } }))
    expect(await table().get(item)).toEqual(item)
  })

  it('refuses a value that some host could not store', async () => {
    const item = anItem({ value: kilobytes(400) })
    await expect(table().write(aPut(item))).rejects.toMatchObject({ code: 'TOO_LARGE' })
    expect(await table().get(item)).toBeUndefined()
  })

  it('keeps apart keys of any characters', async () => {
    const pk = aKey().pk
    const [composed, decomposed] = ['é', 'e\u0301']
    const sks = [composed, decomposed, '日本', '🙂', '\u{10000}', '\uffee', 'a b', 'a#b', "a'b", 'a"b', '%', 'A', 'a']
    for (const sk of sks) await stored(table(), anItem({ pk, sk, value: sk }))
    for (const sk of sks) expect((await table().get({ pk, sk }))?.value).toBe(sk)
    const { items } = await table().query({ pk })
    const bytewise = sks.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    expect(items.map(({ sk }) => sk)).toEqual(bytewise)
  })

  it('does not mistake one pair of keys for another', async () => {
    const id = aUlid()
    const keys = [
      { pk: `acme#${id}\nb`, sk: 'c' },
      { pk: `acme#${id}`, sk: 'b\nc' },
    ]
    for (const key of keys) await stored(table(), anItem({ ...key, value: key.sk }))
    expect((await table().getMany(keys)).map((item) => item?.value)).toEqual(['c', 'b\nc'])
  })

  it('refuses an empty key', async () => {
    await expect(table().write(aPut(anItem({ sk: '' })))).rejects.toMatchObject({ code: 'INVALID' })
    await expect(table().write(aPut(anItem({ pk: '' })))).rejects.toMatchObject({ code: 'INVALID' })
  })

  it('gets many in the order of the keys, with gaps where nothing is', async () => {
    const items = await Promise.all(Array.from({ length: 230 }, (_, at) => stored(table(), anItem({ value: at }))))
    const keys = items.flatMap((item) => [keyOf(item), aKey()]).toReversed()
    const expected = items.flatMap((item) => [item, undefined]).toReversed()
    expect(await table().getMany(keys)).toEqual(expected)
    expect(await table().getMany([])).toEqual([])
  })
}
