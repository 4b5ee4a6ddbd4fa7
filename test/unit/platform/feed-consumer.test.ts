import { expect, test } from 'vitest'
import { startConsumer } from '#shared/platform/embedded/feed-consumer.ts'
import type { Numbered } from '#shared/platform/embedded/feed-lines.ts'
import type { Clock } from '#shared/platform/platform.ts'
import { eventually } from '#test/support/eventually.ts'

const changesFrom = (first: number, count: number): Numbered[] =>
  Array.from({ length: count }, (_, at) => ({
    seq: first + at,
    change: { id: `chg-${first + at}`, key: { pk: `acme#note#${first + at}`, sk: 'head' }, type: 'note' },
  }))

/** How long a consumer rests after one batch of so many changes. */
const restAfter = async (count: number): Promise<number> => {
  const slept: number[] = []
  const clock: Clock = {
    now: () => 0,
    sleep: (ms, signal) => {
      slept.push(ms)
      return new Promise((resolve) => signal?.addEventListener('abort', () => resolve()))
    },
  }
  const consumer = startConsumer({
    consumer: 'test',
    seq: 0,
    handle: async () => [],
    read: (after) => ({ changes: after === 0 ? changesFrom(1, count) : [], more: false, upTo: count }),
    save: async () => undefined,
    clock,
    telemetry: { log: () => undefined } as never,
  })
  await eventually(() => expect(slept).not.toEqual([]))
  await consumer.stop()
  return slept[0] ?? Number.NaN
}

test('one change that comes alone keeps the next one waiting for a moment at most, many keep it for longer', async () => {
  expect(await restAfter(1)).toBeLessThanOrEqual(2)
  expect(await restAfter(100)).toBe(50)
  expect(await restAfter(400)).toBe(100)
})
