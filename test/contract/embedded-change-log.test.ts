import { expect, test } from 'vitest'
import { createJsonTelemetry } from '#shared/platform/embedded/json-telemetry.ts'
import { keepChangesMs } from '#shared/platform/embedded/purge.ts'
import { createSqliteFeed } from '#shared/platform/embedded/sqlite-feed.ts'
import type { Change, Clock, Item } from '#shared/platform/platform.ts'
import { eventually } from '#test/support/eventually.ts'
import { aFolder } from '#test/support/folders.ts'
import { anItem, aPut, keyOf, stored } from '#test/support/items.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'
import { aStorage } from '#test/support/storage.ts'

const { folder } = aFolder()
const hours = 3_600_000
const day = 24 * hours

type Storage = Awaited<ReturnType<typeof aStorage>>

/** All changes that the log still has, as a consumer is told of them that was never there before. */
const everything = async ({ reader, writer }: Storage, clock: Clock, count: number): Promise<Change[]> => {
  const feed = createSqliteFeed({
    reader,
    writer,
    clock,
    telemetry: createJsonTelemetry({ write: () => undefined, now: () => clock.now() }),
  })
  const told: Change[] = []
  feed.consume(`consumer-${Math.random()}`, async (batch) => {
    told.push(...batch)
    return []
  })
  await eventually(() => expect(told).toHaveLength(count))
  await feed.close()
  return told
}

const steps = (changes: Change[]): unknown[][] => changes.map(({ before, after }) => [before?.value, after?.value])

const putAll = async ({ main }: Storage, item: Item, values: string[]): Promise<void> => {
  for (const value of values) await stored(main, { ...item, value })
}

test('what was there before is written down once, and told with each change, also after a start', async () => {
  const [home, clock, item] = [folder(), aSkewedClock(), anItem()]
  const first = await aStorage(home, clock)
  await putAll(first, item, ['one', 'two', 'three'])
  const expected = [
    [undefined, 'one'],
    ['one', 'two'],
    ['two', 'three'],
  ]
  expect(steps(await everything(first, clock, 3))).toEqual(expected)
  expect(first.reader.prepare('SELECT count(*) AS copies FROM changes WHERE before IS NOT NULL').get()).toEqual({
    copies: 0,
  })
  await first.close()
  const second = await aStorage(home, clock)
  await putAll(second, item, ['four'])
  await second.main.write({ op: 'delete', key: keyOf(item), expect: 'any' })
  await putAll(second, item, ['five'])
  expect(steps(await everything(second, clock, 6))).toEqual([
    ...expected,
    ['three', 'four'],
    ['four', undefined],
    [undefined, 'five'],
  ])
  await second.close()
})

test('a change of the last day is told with what was there before, whatever was purged', async () => {
  const clock = aSkewedClock()
  const storage = await aStorage(folder(), clock)
  const item = anItem()
  await putAll(storage, item, ['one'])
  clock.forward(0.9 * hours)
  await putAll(storage, item, ['within the hour'])
  clock.forward(2 * hours)
  await putAll(storage, item, ['hours later'])
  clock.forward(day - 2.5 * hours)
  await storage.writer.send({ kind: 'purge', now: clock.now(), changesBefore: clock.now() - keepChangesMs })
  expect(steps(await everything(storage, clock, 3)).slice(1)).toEqual([
    ['one', 'within the hour'],
    ['within the hour', 'hours later'],
  ])
  await storage.close()
})

test('what came to nothing with others in its commit is not referred to', async () => {
  const clock = aSkewedClock()
  const storage = await aStorage(folder(), clock)
  const [item, text] = [anItem(), await stored(storage.main, anItem({ value: 'no number' }))]
  await putAll(storage, item, ['one'])
  const together = [
    storage.main.write(aPut({ ...item, value: 'two' }, 'any')),
    storage.main.add(text, 1).catch(() => undefined),
    storage.main.write(aPut({ ...item, value: 'three' }, 'any')),
  ]
  await Promise.all(together)
  await putAll(storage, item, ['four'])
  expect(steps(await everything(storage, clock, 5)).slice(1)).toEqual([
    [undefined, 'one'],
    ['one', 'two'],
    ['two', 'three'],
    ['three', 'four'],
  ])
  await storage.close()
})
