import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createMemoryQueues } from '#shared/platform/embedded/memory-queues.ts'
import type { QueueMessage, Received } from '#shared/platform/platform.ts'
import { createSystemClock } from '#shared/platform/system.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'
import { queuesContract } from './queues-contract.ts'

const make = (clock = createSystemClock()) => {
  const queues = createMemoryQueues({ clock })
  const receive = (max = 10, waitSeconds = 0, visibilitySeconds = 60): Promise<Received[]> =>
    queues.receive({ queues: ['q'], max, waitSeconds, visibilitySeconds })
  return { queues, receive, send: (...messages: QueueMessage[]) => queues.send('q', messages) }
}
const bodies = (received: Received[]): string[] => received.map(({ body }) => body)
const of = (group: string, count: number): QueueMessage[] =>
  Array.from({ length: count }, (_, at) => ({ body: `${group}${at + 1}`, group }))

queuesContract('memory', async () => {
  const { queues } = make()
  return { queues, close: async () => queues.close() }
})

test('what is sent while its record is written is handed out when that is done', async () => {
  const writing = Promise.withResolvers<void>()
  const queues = createMemoryQueues({ clock: createSystemClock(), written: () => writing.promise })
  const sent = queues.send('q', [{ body: 'its record is under way' }])
  await sleep(20)
  expect(await queues.depth('q')).toEqual({ waiting: 0, inFlight: 0 })
  writing.resolve()
  await sent
  expect(await queues.depth('q')).toEqual({ waiting: 1, inFlight: 0 })
})

describe('fairness in memory', () => {
  test('lets groups take turns', async () => {
    const { receive, send } = make()
    await send(...of('a', 4), ...of('b', 2), ...of('c', 1))
    expect(bodies(await receive())).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4'])
  })

  test('serves the group with the least in flight, whoever came first', async () => {
    const { queues, receive, send } = make()
    await send(...of('noisy', 100))
    const busy = await receive(5)
    await send(...of('quiet', 3))
    expect(bodies(await receive(4))).toEqual(['quiet1', 'quiet2', 'quiet3', 'noisy6'])
    await queues.delete(busy)
    await send(...of('late', 2))
    expect(bodies(await receive(3))).toEqual(['late1', 'noisy7', 'late2'])
  })

  test('keeps turns when messages are deleted as soon as they are received', async () => {
    const { queues, receive, send } = make()
    await send(...of('a', 3), ...of('b', 3))
    const order: string[] = []
    for (let at = 0; at < 6; at++) {
      const received = await receive(1)
      order.push(...bodies(received))
      await queues.delete(received)
    }
    expect(order).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'b3'])
  })

  test('takes messages without a group in the order they came', async () => {
    const { receive, send } = make()
    await send(...['1', '2', '3', '4'].map((body) => ({ body })))
    expect(bodies(await receive())).toEqual(['1', '2', '3', '4'])
  })

  test('does not grow slow with a long backlog', async () => {
    /** The processor time of this thread for a backlog of so many in a group, and as many alone. */
    const timeOf = async (count: number): Promise<number> => {
      const { queues, receive, send } = make()
      const began = process.threadCpuUsage()
      await send(...of('noisy', count), ...Array.from({ length: count }, (_, at) => ({ body: `alone${at}` })))
      for (let left = 2 * count; left > 0; ) {
        const received = await receive(100)
        await queues.delete(received)
        left -= received.length
      }
      expect(await queues.depth('q')).toEqual({ waiting: 0, inFlight: 0 })
      queues.close()
      const { user, system } = process.threadCpuUsage(began)
      return user + system
    }
    await timeOf(2000)
    expect((await timeOf(20_000)) / (await timeOf(2000))).toBeLessThan(50) // 100 where each looks at all others
  })
})

describe('order in memory', () => {
  test('is the lowest first inside a group, then as they came, then those without one', async () => {
    const { queues, receive, send } = make()
    const ordered = (body: string, order?: number): QueueMessage => ({ body, group: 'g', order })
    await send(ordered('none'), ordered('late', 9), ordered('soon', 1), ordered('too', 1), ordered('now', 0))
    const first = await receive(2)
    expect(bodies(first)).toEqual(['now', 'soon'])
    await queues.release(first)
    expect(bodies(await receive())).toEqual(['now', 'soon', 'too', 'late', 'none'])
  })

  test('is changed by sending again what still waits', async () => {
    const { receive, send } = make()
    await send({ body: 'a', group: 'g', order: 5 }, { body: 'b', group: 'g', order: 6 })
    await send({ body: 'b', group: 'g', order: 1 })
    expect(bodies(await receive())).toEqual(['b', 'a'])
  })
})

describe('what is kept for a receiver in memory', () => {
  const as = (queues: ReturnType<typeof make>['queues'], receiver: string | undefined, waitSeconds = 0) =>
    queues.receive({ queues: ['q'], max: 10, waitSeconds, receiver })

  test('goes to nobody else, also when it comes while others wait', async () => {
    const { queues, send } = make()
    const [other, own] = [as(queues, 'other', 0.3), as(queues, 'me', 5)]
    await send({ body: 'mine', for: 'me' })
    expect(bodies(await own)).toEqual(['mine'])
    expect(await other).toEqual([])
    await send({ body: 'next', for: 'me' })
    expect(await as(queues, undefined)).toEqual([])
    expect(bodies(await as(queues, 'me'))).toEqual(['next'])
  })

  test('is moved to whom it is sent next, or to all', async () => {
    const { queues, send } = make()
    await send({ body: 'x', for: 'gone' })
    const waiting = as(queues, 'new', 5)
    await send({ body: 'x', for: 'new' })
    expect(bodies(await waiting)).toEqual(['x'])
    await send({ body: 'y', for: 'gone' })
    await send({ body: 'y' })
    expect(bodies(await as(queues, undefined))).toEqual(['y'])
    expect(await queues.depth('q')).toEqual({ waiting: 0, inFlight: 2 })
  })

  test('takes turns with what is for all', async () => {
    const { queues, send } = make()
    const own = of('own', 3).map((one) => ({ ...one, for: 'me' }))
    await send(...own, ...of('all', 3))
    const received = await as(queues, 'me')
    expect(bodies(received).toSorted()).toEqual(['all1', 'all2', 'all3', 'own1', 'own2', 'own3'])
    expect(
      new Set(
        bodies(received)
          .slice(0, 2)
          .map((body) => body.slice(0, 3)),
      ),
    ).toEqual(new Set(['all', 'own']))
  })
})

describe('messages in memory', () => {
  test('wait once, however often the same body is sent', async () => {
    const { queues, receive, send } = make()
    await send({ body: 'same' }, { body: 'same', group: 'other' })
    await send({ body: 'same' })
    expect(await queues.depth('q')).toEqual({ waiting: 1, inFlight: 0 })
    const first = await receive()
    await send({ body: 'same' })
    expect(await queues.depth('q')).toEqual({ waiting: 1, inFlight: 1 })
    await queues.release(first)
    expect(await queues.depth('q')).toEqual({ waiting: 1, inFlight: 0 })
    expect(bodies(await queues.receive({ queues: ['other'], max: 1, waitSeconds: 0 }))).toEqual([])
  })

  test('are not touched by the receipt of an earlier delivery', async () => {
    const { queues, receive, send } = make()
    await send({ body: 'x' })
    const first = await receive()
    await queues.release(first)
    const second = await receive()
    await queues.delete(first)
    await queues.release(first)
    expect(await queues.depth('q')).toEqual({ waiting: 0, inFlight: 1 })
    await queues.delete(second)
    await queues.delete(second)
    expect(await queues.depth('q')).toEqual({ waiting: 0, inFlight: 0 })
  })

  test('go first in their group when they come back, and keep the time they were sent', async () => {
    const { queues, receive, send } = make()
    await send(...of('a', 4))
    const two = await receive(2)
    await sleep(5)
    await queues.release(two)
    const again = await receive()
    expect(bodies(again)).toEqual(['a1', 'a2', 'a3', 'a4'])
    expect(again[0]).toMatchObject({ receives: 2, sentAt: two[0]?.sentAt })
  })

  test('come again by the clock of the platform', async () => {
    const clock = aSkewedClock()
    const { queues, receive, send } = make(clock)
    await send({ body: 'delayed', delaySeconds: 300 }, { body: 'now' })
    expect(bodies(await receive(10, 0, 600))).toEqual(['now'])
    clock.forward(300_000)
    expect(bodies(await receive(10, 0, 600))).toEqual(['delayed'])
    clock.forward(300_001)
    expect(bodies(await receive())).toEqual(['now'])
    queues.close()
  })

  test('may be delayed by parts of a second', async () => {
    const { receive, send } = make()
    const began = performance.now()
    await send({ body: 'soon', delaySeconds: 0.15 })
    expect(bodies(await receive(1, 5))).toEqual(['soon'])
    const waited = performance.now() - began
    expect(waited).toBeGreaterThan(140)
    expect(waited).toBeLessThan(900)
  })
})

describe('receivers in memory', () => {
  test('are served in the order they came, each with all it takes', async () => {
    const { receive, send } = make()
    const [first, second] = [receive(3, 5), receive(3, 5)]
    await send(...of('a', 5))
    expect(bodies(await first)).toEqual(['a1', 'a2', 'a3'])
    expect(bodies(await second)).toEqual(['a4', 'a5'])
  })

  test('are told at once', async () => {
    const { receive, send } = make()
    const latencies: number[] = []
    for (let round = 0; round < 20; round++) {
      const waiting = receive(1, 5)
      await sleep(1)
      const sent = performance.now()
      await send({ body: String(round) })
      await waiting
      latencies.push(performance.now() - sent)
    }
    expect(latencies.toSorted((a, b) => a - b)[10]).toBeLessThan(5)
  })

  test('that gave up take nothing away from the others', async () => {
    const { queues, receive, send } = make()
    const controller = new AbortController()
    const gone = queues.receive({ queues: ['q'], max: 1, waitSeconds: 5, signal: controller.signal })
    const there = receive(1, 5)
    const sending = send({ body: 'x' })
    controller.abort()
    await sending
    expect(bodies(await there)).toEqual(['x'])
    expect(await gone).toEqual([])
  })

  test('are let go when the queues are closed', async () => {
    const { queues, receive } = make()
    const waiting = receive(1, 60)
    queues.close()
    expect(await waiting).toEqual([])
    expect(await receive(1, 60)).toEqual([])
  })
})
