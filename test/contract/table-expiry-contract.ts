import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { eventually } from '#test/support/eventually.ts'
import { allPages, anItem, aPut, aUlid, keyOf, revsOf, stored } from '#test/support/items.ts'
import type { TableSuite } from './table-contract.ts'

const past = (): number => Date.now() - 1000

/** After its time an item is gone for readers and writers alike, whether or not it was deleted already. */
export const expiryContract = ({ it, table }: TableSuite): void => {
  it('shows an item until its time, and not after', async () => {
    const item = await stored(table(), anItem({ expiresAt: Date.now() + 600 }))
    expect(await table().get(item)).toEqual(item)
    await sleep(Math.max(0, (item.expiresAt ?? 0) - Date.now()) + 5)
    expect(await table().get(item)).toBeUndefined()
  })

  it('hides what expired from every reader', async () => {
    const listed = { pk: `acme#list#${aUlid()}`, sk: '1' }
    const gone = await stored(table(), anItem({ expiresAt: past(), index: { list: listed } }))
    const there = await stored(table(), anItem({ index: { list: { ...listed, sk: '2' } } }))
    expect(await table().getMany([keyOf(gone), keyOf(there)])).toEqual([undefined, there])
    expect((await table().query({ pk: gone.pk })).items).toEqual([])
    await eventually(async () => expect((await table().query({ index: 'list', pk: listed.pk })).items).toEqual([there]))
    const { items } = await allPages((cursor) => table().scan({ segment: 0, of: 1, cursor }))
    expect(items.filter(({ pk }) => pk === gone.pk || pk === there.pk)).toEqual([there])
  })

  it('treats what expired as absent when it writes', async () => {
    const gone = await stored(table(), anItem({ expiresAt: past() }))
    const key = keyOf(gone)
    const none = { ok: false, conflicts: [{ at: 0 }] }
    expect(await table().write(aPut(anItem(key), { rev: gone.rev }))).toEqual(none)
    expect(await table().write({ op: 'check', key, expect: { rev: gone.rev } })).toEqual(none)
    expect(await table().write({ op: 'check', key, expect: 'absent' })).toMatchObject({ ok: true })
    const fresh = anItem({ ...key, value: 'fresh' })
    const [rev] = revsOf(await table().write(aPut(fresh)))
    expect(await table().get(key)).toEqual({ ...fresh, rev })
  })
}
