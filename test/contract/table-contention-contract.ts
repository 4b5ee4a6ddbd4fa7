import { expect } from 'vitest'
import type { Item, Rev, Stored } from '#shared/platform/platform.ts'
import { aKey, anItem, aPut, keyOf, revsOf, stored } from '#test/support/items.ts'
import type { TableSuite } from './table-contract.ts'

const rounds = 3

/** Many writers at once. */
export const contentionContract = ({ it, table, writers }: TableSuite): void => {
  const compete = (item: Item, rev: Rev) =>
    Promise.all(
      Array.from({ length: writers }, (_, writer) => table().write(aPut({ ...item, value: { writer } }, { rev }))),
    )

  it('lets exactly one of many writers of one key win each revision', async () => {
    let current: Stored = await stored(table(), anItem())
    for (let round = 0; round < rounds; round++) {
      const outcomes = await compete({ ...keyOf(current), type: 'note', value: '' }, current.rev)
      const won = outcomes.filter(({ ok }) => ok)
      const winner = await table().get(current)
      expect(won).toEqual([{ ok: true, revs: [winner?.rev] }])
      for (const outcome of outcomes) if (!outcome.ok) expect(outcome.conflicts).toEqual([{ at: 0, current: winner }])
      if (winner === undefined) throw new Error('the item is there')
      expect(winner.rev).not.toBe(current.rev)
      current = winner
    }
  })

  it('loses no update of writers that try again with what a conflict brought', async () => {
    const first = await stored(table(), anItem({ value: 0 }))
    const increment = async (): Promise<void> => {
      for (let seen: Stored<number> = first; ; ) {
        const outcome = await table().write(aPut({ ...keyOf(seen), type: 'note', value: seen.value + 1 }, seen))
        if (outcome.ok) return
        seen = outcome.conflicts[0]?.current as Stored<number>
      }
    }
    await Promise.all(Array.from({ length: 20 }, increment))
    expect((await table().get(first))?.value).toBe(20)
  })

  it('creates an item once, whoever of many is first', async () => {
    const key = aKey()
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, value) => table().write(aPut(anItem({ ...key, value })))),
    )
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1)
    const won = outcomes.findIndex(({ ok }) => ok)
    expect((await table().get(key))?.value).toBe(won)
  })

  it('shows every acknowledged write to the next reader', async () => {
    const item = anItem()
    for (let value = 0; value < 30; value++) {
      const [rev] = revsOf(await table().write(aPut({ ...item, value }, 'any')))
      expect(await table().get(item)).toEqual({ ...item, value, rev })
    }
  })
}
