import { afterAll, beforeAll, describe, expect } from 'vitest'
import type { Change, ChangeFeed, FeedFilter, Key, Stoppable, Table } from '#shared/platform/platform.ts'
import { eventually } from '#test/support/eventually.ts'
import { aKey, anItem, aUlid, keyOf, revsOf, stored } from '#test/support/items.ts'
import { type Cannot, contractTest } from './contract-test.ts'

export type FeedUnderTest = { main: Table; volatile: Table; feed: ChangeFeed; close: () => Promise<void> }

const same = (a: Key, b: Key): boolean => a.pk === b.pk && a.sk === b.sk
const valuesOf = (changes: Change[], key: Key): unknown[] =>
  changes.filter((change) => same(change.key, key)).map(({ after }) => after?.value)

/** First sights only: redelivery is allowed, but never of something later before something earlier. */
const firstSights = (values: unknown[]): unknown[] => [...new Set(values)]

/** What `ChangeFeed` promises. */
export const changeFeedContract = (
  name: string,
  make: () => Promise<FeedUnderTest>,
  { cannot }: { cannot?: Cannot } = {},
): void => {
  describe(`change feed: ${name}`, () => {
    const it = contractTest(cannot)
    const context: { made?: FeedUnderTest } = {}
    const made = (): FeedUnderTest => {
      if (context.made === undefined) throw new Error('the feed is made before the tests run')
      return context.made
    }
    beforeAll(async () => {
      context.made = await make()
    })
    afterAll(() => context.made?.close())

    /** Consumes for as long as `work` runs; `handle` answers what failed. */
    const consuming = async (
      handle: (batch: Change[]) => Promise<string[]>,
      work: () => Promise<void>,
      consumer = `consumer-${aUlid()}`,
      only?: FeedFilter,
    ): Promise<void> => {
      const running: Stoppable = made().feed.consume(consumer, handle, only)
      try {
        await work()
      } finally {
        await running.stop()
      }
    }
    const collector = () => {
      const seen: Change[] = []
      const collect = async (batch: Change[]): Promise<string[]> => {
        seen.push(...batch)
        return []
      }
      return { seen, collect }
    }

    it('tells of puts, replacements and deletions with the item before and after', async () => {
      const { main } = made()
      const item = anItem({
        value: { n: 1 },
        index: { list: { pk: 'acme#notes', sk: aUlid() } },
        expiresAt: Date.now() + 3_600_000,
      })
      const first = await stored(main, item)
      const second = await stored(main, { ...item, type: 'memo', value: { n: 2 } })
      await main.write({ op: 'delete', key: keyOf(item), expect: 'any' })
      const { seen, collect } = collector()
      await consuming(collect, async () => {
        await eventually(() => expect(seen.filter(({ key }) => same(key, item)).length).toBeGreaterThanOrEqual(3))
      })
      const changes = seen.filter(({ key }) => same(key, item)).slice(0, 3)
      const key = keyOf(item)
      expect(changes).toEqual([
        { id: expect.any(String), key, type: 'note', after: first },
        { id: expect.any(String), key, type: 'memo', before: first, after: second },
        { id: expect.any(String), key, type: 'memo', before: second },
      ])
      expect(new Set(changes.map(({ id }) => id)).size).toBe(3)
    })

    it('tells of the writes of a transaction and of counters', async () => {
      const { main } = made()
      const [one, two, counter] = [anItem(), anItem(), aKey()]
      await main.transact([
        { op: 'put', item: one, expect: 'absent' },
        { op: 'put', item: two, expect: 'absent' },
        { op: 'check', key: aKey(), expect: 'absent' },
      ])
      await main.add(counter, 5)
      const { seen, collect } = collector()
      await consuming(collect, () =>
        eventually(() => {
          expect(valuesOf(seen, one)).toContain(one.value)
          expect(valuesOf(seen, two)).toContain(two.value)
          expect(valuesOf(seen, counter)).toContain(5)
        }),
      )
    })

    it('tells nothing of refused writes, of checks, and of the volatile table', async () => {
      const { main, volatile } = made()
      const item = await stored(main, anItem({ value: 'kept' }))
      await main.write({ op: 'put', item: { ...keyOf(item), type: 'note', value: 'refused' }, expect: 'absent' })
      await main.write({ op: 'check', key: keyOf(item), expect: { rev: item.rev } })
      const elsewhere = await stored(volatile, anItem({ value: 'volatile' }))
      const last = await stored(main, anItem())
      const { seen, collect } = collector()
      await consuming(collect, () => eventually(() => expect(valuesOf(seen, last)).not.toEqual([])))
      expect(firstSights(valuesOf(seen, item))).toEqual(['kept'])
      expect(valuesOf(seen, elsewhere)).toEqual([])
    })

    it('may leave out what nobody needs to hear of, and tells what comes after it with what was there', async () => {
      const { main } = made()
      const first = await stored(main, anItem({ value: 'told' }))
      const quiet = { op: 'put', item: { ...keyOf(first), type: 'note', value: 'untold' }, expect: 'any' } as const
      const [rev = ''] = revsOf(await main.write({ ...quiet, untold: true }))
      expect(await main.get(first)).toMatchObject({ value: 'untold', rev })
      await stored(main, { ...keyOf(first), type: 'note', value: 'told again' })
      const { seen, collect } = collector()
      await consuming(collect, () => eventually(() => expect(valuesOf(seen, first)).toContain('told again')))
      const last = seen.find(({ key, after }) => same(key, first) && after?.value === 'told again')
      expect(last?.before).toEqual({ ...quiet.item, rev })
    })

    it('tells only of the types that a consumer asks for, and of their deletion', async () => {
      const { main } = made()
      const [note, memo] = [anItem({ type: 'note' }), anItem({ type: 'memo' })]
      const { seen, collect } = collector()
      const work = async (): Promise<void> => {
        for (const item of [note, memo]) {
          await stored(main, item)
          await main.write({ op: 'delete', key: keyOf(item), expect: 'any' })
        }
        await eventually(() => expect(firstSights(valuesOf(seen, memo))).toEqual([memo.value, undefined]))
      }
      await consuming(collect, work, `consumer-${aUlid()}`, { types: ['memo'] })
      expect(seen.every(({ type }) => type === 'memo')).toBe(true)
    })

    it('keeps the order of each key while many change at once', async () => {
      const keys = Array.from({ length: 20 }, () => aKey())
      const expected = Array.from({ length: 15 }, (_, at) => at)
      const { seen, collect } = collector()
      await consuming(collect, async () => {
        await Promise.all(
          keys.map(async (key) => {
            for (const value of expected) await stored(made().main, anItem({ ...key, value }))
          }),
        )
        await eventually(() => {
          for (const key of keys) expect(valuesOf(seen, key)).toContain(14)
        })
      })
      for (const key of keys) expect(firstSights(valuesOf(seen, key))).toEqual(expected)
    })

    it('tells each consumer everything', async () => {
      const [left, right] = [collector(), collector()]
      const item = anItem({ value: 1 })
      await consuming(left.collect, () =>
        consuming(right.collect, async () => {
          await stored(made().main, item)
          await eventually(() => {
            expect(valuesOf(left.seen, item)).toContain(1)
            expect(valuesOf(right.seen, item)).toContain(1)
          })
        }),
      )
    })

    it('brings a change that failed again under the same id, before anything later of its key', async () => {
      const key = aKey()
      const attempts: { id: string; value: unknown }[] = []
      const handle = async (batch: Change[]): Promise<string[]> => {
        const mine = batch.filter((change) => same(change.key, key))
        const failing = attempts.length < 4
        for (const { id, after } of failing ? mine.slice(0, 1) : mine) attempts.push({ id, value: after?.value })
        return failing ? mine.slice(0, 1).map(({ id }) => id) : []
      }
      await consuming(handle, async () => {
        for (const value of [1, 2, 3]) await stored(made().main, anItem({ ...key, value }))
        await eventually(() => expect(attempts.map(({ value }) => value)).toContain(3))
      })
      expect(attempts.slice(0, 5).map(({ value }) => value)).toEqual([1, 1, 1, 1, 1])
      expect(new Set(attempts.slice(0, 5).map(({ id }) => id)).size).toBe(1)
      expect(firstSights(attempts.map(({ value }) => value))).toEqual([1, 2, 3])
    })

    it('holds back the key of a failing change only', async () => {
      const [stuck, free] = [aKey(), aKey()]
      const { seen, collect } = collector()
      let failing = true
      /** Of a key that fails it takes the first change alone, as whoever applies changes in order does. */
      const handle = async (batch: Change[]): Promise<string[]> => {
        const held = failing ? batch.filter((change) => same(change.key, stuck)) : []
        await collect(batch.filter((change) => !held.slice(1).includes(change)))
        return held.map(({ id }) => id)
      }
      await consuming(handle, async () => {
        await stored(made().main, anItem({ ...stuck, value: 'first' }))
        await eventually(() => expect(valuesOf(seen, stuck)).toContain('first'))
        await stored(made().main, anItem({ ...stuck, value: 'second' }))
        for (const value of [1, 2, 3]) await stored(made().main, anItem({ ...free, value }))
        await eventually(() => expect(firstSights(valuesOf(seen, free))).toEqual([1, 2, 3]))
        expect(valuesOf(seen, stuck)).not.toContain('second')
        failing = false
        await eventually(() => expect(firstSights(valuesOf(seen, stuck))).toEqual(['first', 'second']))
      })
    })

    it('brings everything again when the consumer throws', async () => {
      const item = anItem({ value: 1 })
      let calls = 0
      const { seen, collect } = collector()
      const handle = async (batch: Change[]): Promise<string[]> => {
        if (batch.some((change) => same(change.key, item)) && ++calls < 3) throw new Error('broken')
        return collect(batch)
      }
      await consuming(handle, async () => {
        await stored(made().main, item)
        await eventually(() => expect(valuesOf(seen, item)).toContain(1))
      })
      expect(calls).toBeGreaterThanOrEqual(3)
    })

    it('stops after what is under way, and tells nothing more', async () => {
      const { main, feed } = made()
      let working = 0
      const begun = Promise.withResolvers<void>()
      const { seen, collect } = collector()
      const running = feed.consume(`consumer-${aUlid()}`, async (batch) => {
        working++
        begun.resolve()
        await new Promise((resolve) => setTimeout(resolve, 60))
        working--
        return collect(batch)
      })
      await stored(main, anItem())
      await begun.promise
      await running.stop()
      expect(working).toBe(0)
      const told = seen.length
      expect(told).toBeGreaterThan(0)
      const after = await stored(main, anItem({ value: 'after' }))
      await new Promise((resolve) => setTimeout(resolve, 100))
      expect(valuesOf(seen, after)).toEqual([])
    })

    it('tells a consumer that comes back what it missed', async () => {
      const { main } = made()
      const consumer = `consumer-${aUlid()}`
      const [before, between] = [anItem({ value: 'before' }), anItem({ value: 'between' })]
      const first = collector()
      await stored(main, before)
      await consuming(
        first.collect,
        () => eventually(() => expect(valuesOf(first.seen, before)).toContain('before')),
        consumer,
      )
      await stored(main, between)
      const second = collector()
      await consuming(
        second.collect,
        () => eventually(() => expect(valuesOf(second.seen, between)).toContain('between')),
        consumer,
      )
    })

    it('does not tell a consumer that comes back everything again', async () => {
      const { main } = made()
      const consumer = `consumer-${aUlid()}`
      const [old, fresh] = [anItem({ value: 'old' }), anItem({ value: 'fresh' })]
      const [first, second] = [collector(), collector()]
      await stored(main, old)
      await consuming(
        first.collect,
        () => eventually(() => expect(valuesOf(first.seen, old)).toContain('old')),
        consumer,
      )
      await stored(main, fresh)
      await consuming(
        second.collect,
        () => eventually(() => expect(valuesOf(second.seen, fresh)).toContain('fresh')),
        consumer,
      )
      expect(valuesOf(second.seen, old)).toEqual([])
    })
  })
}
