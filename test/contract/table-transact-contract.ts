import { expect } from 'vitest'
import { aKey, anItem, aPut, aUlid, keyOf, revsOf, stored } from '#test/support/items.ts'
import type { TableSuite } from './table-contract.ts'

/** Several writes as one. */
export const transactContract = ({ it, table }: TableSuite): void => {
  it('writes 25 items as one', async () => {
    const items = Array.from({ length: 25 }, (_, at) => anItem({ value: at }))
    const revs = revsOf(await table().transact(items.map((item) => aPut(item))))
    expect(new Set(revs).size).toBe(25)
    expect(await table().getMany(items.map(keyOf))).toEqual(items.map((item, at) => ({ ...item, rev: revs[at] })))
  })

  it('puts, deletes and checks as one', async () => {
    const [gone, checked] = [await stored(table(), anItem()), await stored(table(), anItem())]
    const fresh = anItem({ value: 'fresh' })
    const outcome = await table().transact([
      aPut(fresh),
      { op: 'delete', key: keyOf(gone), expect: { rev: gone.rev } },
      { op: 'check', key: keyOf(checked), expect: { rev: checked.rev } },
    ])
    expect(outcome).toEqual({ ok: true, revs: [expect.stringMatching(/^.{26}$/), '', ''] })
    expect(await table().getMany([fresh, gone, checked].map(keyOf))).toMatchObject([
      { value: 'fresh' },
      undefined,
      checked,
    ])
    expect(await table().get(gone)).toBeUndefined()
  })

  it('writes nothing when one expectation fails, and tells which with what is stored', async () => {
    const there = await stored(table(), anItem({ value: 'there' }))
    const fresh = [anItem(), anItem()]
    const missing = aKey()
    const outcome = await table().transact([
      aPut(anItem(fresh[0])),
      aPut(anItem({ ...keyOf(there), value: 'other' }), 'absent'),
      aPut(anItem(fresh[1])),
      { op: 'check', key: missing, expect: { rev: aUlid() } },
    ])
    expect(outcome).toEqual({ ok: false, conflicts: [{ at: 1, current: there }, { at: 3 }] })
    expect(await table().getMany([...fresh, there].map(keyOf))).toEqual([undefined, undefined, there])
  })

  it('undoes deletes too when another expectation fails', async () => {
    const item = await stored(table(), anItem())
    const outcome = await table().transact([
      { op: 'delete', key: keyOf(item), expect: 'any' },
      { op: 'check', key: aKey(), expect: { rev: aUlid() } },
    ])
    expect(outcome).toMatchObject({ ok: false, conflicts: [{ at: 1 }] })
    expect(await table().get(item)).toEqual(item)
  })

  it('answers ok to a transaction that is repeated because its answer was lost', async () => {
    const [one, two, revs] = [anItem(), anItem(), [aUlid(), aUlid()]]
    const writes = [aPut(one, 'absent', revs[0]), aPut(two, 'absent', revs[1])]
    for (const _ of [1, 2]) expect(await table().transact(writes)).toEqual({ ok: true, revs })
  })

  it('answers ok to a repeated transaction that deletes and checks too', async () => {
    const [gone, moved] = [await stored(table(), anItem()), await stored(table(), anItem({ value: 1 }))]
    const [fresh, first, second] = [anItem(), aUlid(), aUlid()]
    const writes = [
      aPut(fresh, 'absent', first),
      { op: 'delete', key: keyOf(gone), expect: { rev: gone.rev } } as const,
      { op: 'check', key: aKey(), expect: 'absent' } as const,
      aPut({ ...keyOf(moved), type: 'note', value: 2 }, { rev: moved.rev }, second),
    ]
    for (const _ of [1, 2]) expect(await table().transact(writes)).toEqual({ ok: true, revs: [first, '', '', second] })
  })

  it('refuses one write, 26 writes, and the same key twice', async () => {
    const item = anItem()
    const refused = [
      [aPut(anItem())],
      Array.from({ length: 26 }, () => aPut(anItem())),
      [aPut(item), aPut({ ...item, value: 'again' }, 'any')],
    ]
    for (const writes of refused) await expect(table().transact(writes)).rejects.toMatchObject({ code: 'INVALID' })
    expect(await table().get(item)).toBeUndefined()
  })

  it('lets transactions on shared items through one after the other', async () => {
    const [left, right] = [anItem({ value: 0 }), anItem({ value: 0 })]
    await Promise.all([stored(table(), left), stored(table(), right)])
    const move = async (): Promise<void> => {
      for (;;) {
        const [a, b] = await table().getMany<number>([keyOf(left), keyOf(right)])
        if (a === undefined || b === undefined) throw new Error('both items are there')
        const writes = [
          aPut({ ...left, value: a.value + 1 }, { rev: a.rev }),
          aPut({ ...right, value: b.value - 1 }, { rev: b.rev }),
        ]
        if ((await table().transact(writes)).ok) return
      }
    }
    await Promise.all(Array.from({ length: 8 }, move))
    const both = await table().getMany<number>([keyOf(left), keyOf(right)])
    expect(both.map((item) => item?.value)).toEqual([8, -8])
  })

  it('counts together with what it puts and deletes', async () => {
    const [counter, place] = [aKey('counter'), anItem()]
    const up = await table().transact([aPut(place), { op: 'add', key: counter, by: 2, bound: { max: 2 } }])
    const [rev, ofCounter] = revsOf(up)
    expect(await table().get(counter)).toEqual({ ...counter, type: 'counter', value: 2, rev: ofCounter })
    const down = await table().transact([
      { op: 'add', key: counter, by: -2, bound: { min: 0 } },
      { op: 'delete', key: keyOf(place), expect: { rev: rev ?? '' } },
    ])
    expect(revsOf(down)).toEqual([expect.stringMatching(/^.{26}$/), ''])
    expect(revsOf(down)[0]).not.toBe(ofCounter)
    expect(await table().getMany([counter, place].map(keyOf))).toMatchObject([{ value: 0 }, undefined])
  })

  it('writes nothing when a bound would be crossed, and tells how far the counter is', async () => {
    const [full, absent, item] = [await stored(table(), anItem({ type: 'counter', value: 3 })), aKey(), anItem()]
    const outcome = await table().transact([
      aPut(item),
      { op: 'add', key: keyOf(full), by: 1, bound: { max: 3 } },
      { op: 'add', key: absent, by: -1, bound: { min: 0 } },
    ])
    expect(outcome).toEqual({ ok: false, conflicts: [{ at: 1, current: full }, { at: 2 }] })
    expect(await table().getMany([full, absent, item].map(keyOf))).toEqual([full, undefined, undefined])
  })

  it('moves no counter when another expectation fails', async () => {
    const [counter, there] = [
      await stored(table(), anItem({ type: 'counter', value: 1 })),
      await stored(table(), anItem()),
    ]
    const outcome = await table().transact([
      { op: 'add', key: keyOf(counter), by: 1 },
      aPut({ ...there, value: 'other' }),
    ])
    expect(outcome).toEqual({ ok: false, conflicts: [{ at: 1, current: there }] })
    expect(await table().get(counter)).toEqual(counter)
  })

  it('counts once when it is repeated because its answer was lost', async () => {
    const [counter, item, rev] = [aKey(), anItem(), aUlid()]
    const writes = [aPut(item, 'absent', rev), { op: 'add', key: counter, by: 1, bound: { max: 1 } } as const]
    for (const _ of [1, 2]) expect((await table().transact(writes)).ok).toBe(true)
    expect((await table().get(counter))?.value).toBe(1)
  })

  it('counts from 0 again after the counter has expired', async () => {
    const over = await stored(table(), anItem({ type: 'counter', value: 9, expiresAt: Date.now() - 1000 }))
    const item = anItem()
    const add = { op: 'add', key: keyOf(over), by: 1, bound: { max: 1 } } as const
    expect((await table().transact([aPut(item), add])).ok).toBe(true)
    expect(await table().getMany([over, item].map(keyOf))).toMatchObject([{ value: 1 }, item])
    expect(await table().transact([aPut(anItem()), add])).toMatchObject({ conflicts: [{ at: 1 }] })
  })

  it('gives many that come at once as many places as there are, each counted', async () => {
    const [counter, pk] = [aKey('counter'), aKey().pk]
    const take = (_: unknown, at: number) =>
      table().transact([aPut(anItem({ pk, sk: `place#${at}` })), { op: 'add', key: counter, by: 1, bound: { max: 5 } }])
    const outcomes = await Promise.all(Array.from({ length: 30 }, take))
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(5)
    expect((await table().get(counter))?.value).toBe(5)
    expect((await table().query({ pk })).items).toHaveLength(5)
  })
}
