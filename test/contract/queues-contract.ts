import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import type { Queues, Received, ReceiveOptions } from '#shared/platform/platform.ts'
import { eventually } from '#test/support/eventually.ts'
import { aUlid } from '#test/support/items.ts'
import { type Cannot, contractTest } from './contract-test.ts'

export type QueuesUnderTest = { queues: Queues; close: () => Promise<void> }

const bodies = (received: Received[]): string[] => received.map(({ body }) => body)

/** What `Queues` promises. */
export const queuesContract = (
  name: string,
  make: () => Promise<QueuesUnderTest>,
  { cannot }: { cannot?: Cannot } = {},
): void => {
  describe(`queues: ${name}`, () => {
    const it = contractTest(cannot, { concurrent: true })
    const context: { made?: QueuesUnderTest } = {}
    const queues = (): Queues => {
      if (context.made === undefined) throw new Error('the queues are made before the tests run')
      return context.made.queues
    }
    beforeAll(async () => {
      context.made = await make()
    })
    afterAll(() => context.made?.close())

    const aQueue = async (): Promise<string> => {
      const queue = `agent-${aUlid()}-normal`
      await queues().ensure(queue)
      return queue
    }
    const send = (queue: string, ...texts: string[]): Promise<void> =>
      queues().send(
        queue,
        texts.map((body) => ({ body })),
      )
    const receive = (queue: string, options: Partial<ReceiveOptions> = {}): Promise<Received[]> =>
      queues().receive({ queues: [queue], max: 10, waitSeconds: 2, ...options })
    /** Receives and deletes until all have come. */
    const drain = async (queue: string, count: number): Promise<Received[]> => {
      const all: Received[] = []
      await eventually(async () => {
        const received = await receive(queue, { waitSeconds: 0.1 })
        await queues().delete(received)
        all.push(...received)
        expect(new Set(bodies(all)).size).toBeGreaterThanOrEqual(count)
      })
      return all
    }

    it('tells how many come before one, or that it cannot tell', async () => {
      const queue = await aQueue()
      await queues().send(queue, [
        { body: 'first', group: 'a' },
        { body: 'second', group: 'a' },
      ])
      expect([1, undefined]).toContain(await queues().ahead(queue, 'second'))
      expect(await queues().ahead(queue, 'nothing')).toBeUndefined()
    })

    it('hands out what was sent', async () => {
      const queue = await aQueue()
      await send(queue, 'tsk_日本🙂')
      const [message] = await receive(queue)
      expect(message).toMatchObject({ queue, body: 'tsk_日本🙂', receives: 1, receipt: expect.any(String) })
      expect(Math.abs((message?.sentAt ?? 0) - Date.now())).toBeLessThan(10_000)
    })

    it('may be ensured again, with what waits in it', async () => {
      const queue = await aQueue()
      await send(queue, 'kept')
      await Promise.all([queues().ensure(queue), queues().ensure(queue)])
      expect(bodies(await receive(queue))).toEqual(['kept'])
    })

    it('answers nothing from an empty queue, after the wait', async () => {
      const queue = await aQueue()
      const began = performance.now()
      expect(await receive(queue, { waitSeconds: 0 })).toEqual([])
      expect(await receive(queue, { waitSeconds: 1 })).toEqual([])
      expect(performance.now() - began).toBeGreaterThan(900)
    })

    it('wakes a waiting receiver', async () => {
      const queue = await aQueue()
      const began = performance.now()
      const waiting = receive(queue, { waitSeconds: 10 })
      await sleep(50)
      await send(queue, 'late')
      expect(bodies(await waiting)).toEqual(['late'])
      expect(performance.now() - began).toBeLessThan(5000)
    })

    it('hands out no more than the receiver takes', async () => {
      const queue = await aQueue()
      await send(queue, 'a', 'b', 'c', 'd', 'e')
      expect((await receive(queue, { max: 2 })).length).toBeLessThanOrEqual(2)
    })

    it('takes thousands of bytes, and many messages at once', async () => {
      const queue = await aQueue()
      const texts = Array.from({ length: 37 }, (_, at) => `${at} ${'é'.repeat(1000)}`)
      await queues().send(queue, [])
      await send(queue, ...texts)
      expect(bodies(await drain(queue, 37)).toSorted()).toEqual(texts.toSorted())
    })

    it('takes from later queues only what the earlier ones leave', async () => {
      const [high, low] = [await aQueue(), await aQueue()]
      await send(low, 'low-1', 'low-2', 'low-3')
      await send(high, 'high-1', 'high-2')
      const both = { queues: [high, low], waitSeconds: 2 }
      const first = await eventually(async () => {
        const received = await queues().receive({ ...both, max: 2 })
        const found = bodies(received).toSorted()
        if (found.some((body) => body.startsWith('low'))) await queues().release(received)
        expect(found).toEqual(['high-1', 'high-2'])
        return received
      })
      await queues().delete(first)
      const rest = await queues().receive({ ...both, max: 10 })
      expect(bodies(rest).every((body) => body.startsWith('low'))).toBe(true)
    })

    it('wakes a receiver of several queues for any of them', async () => {
      const [high, low] = [await aQueue(), await aQueue()]
      const waiting = queues().receive({ queues: [high, low], max: 1, waitSeconds: 8 })
      await sleep(30)
      await send(low, 'low')
      expect(bodies(await waiting)).toEqual(['low'])
    })

    it('does not hand out again what was deleted', async () => {
      const queue = await aQueue()
      await send(queue, 'once')
      await queues().delete(await receive(queue, { visibilitySeconds: 1 }))
      expect(await receive(queue, { waitSeconds: 2 })).toEqual([])
    })

    it('hands out again what was not deleted, and counts', async () => {
      const queue = await aQueue()
      await send(queue, 'again')
      expect(bodies(await receive(queue, { visibilitySeconds: 3 }))).toEqual(['again'])
      expect(await receive(queue, { waitSeconds: 0 })).toEqual([])
      const [second] = await receive(queue, { waitSeconds: 15 })
      expect(second).toMatchObject({ body: 'again', receives: 2 })
    })

    it('hands out at once what was released', async () => {
      const queue = await aQueue()
      await send(queue, 'back')
      await queues().release(await receive(queue, { visibilitySeconds: 300 }))
      const [second] = await receive(queue, { waitSeconds: 5 })
      expect(second).toMatchObject({ body: 'back', receives: 2 })
    })

    it('hands out after a while what was released for so long', async () => {
      const queue = await aQueue()
      await send(queue, 'rested')
      await queues().release(await receive(queue, { visibilitySeconds: 300 }), 3)
      const began = performance.now()
      expect(await receive(queue, { waitSeconds: 0 })).toEqual([])
      expect(bodies(await receive(queue, { waitSeconds: 15 }))).toEqual(['rested'])
      expect(performance.now() - began).toBeGreaterThan(2700)
    })

    it('leaves the last places of a call to earlier queues', async () => {
      const [high, low] = [await aQueue(), await aQueue()]
      await send(low, 'low-1', 'low-2', 'low-3')
      const both = { queues: [high, low], max: 3, room: [3, 1] }
      expect(await queues().receive({ ...both, waitSeconds: 1 })).toHaveLength(1)
      expect(await queues().receive({ ...both, room: [3, 0], waitSeconds: 0 })).toEqual([])
      await send(high, 'high')
      const waiting = queues().receive({ ...both, room: [3, 0], waitSeconds: 5 })
      expect(bodies(await waiting)).toEqual(['high'])
    })

    it('takes every order, receiver and turn that it is told, whether it keeps to them or not', async () => {
      const queue = await aQueue()
      const told = ['a', 'b'].map((body, order) => ({ body, group: 'g', order, for: 'somebody' }))
      await queues().send(queue, told)
      const options = { receiver: 'somebody', aging: { afterSeconds: 30, oneIn: 2 } }
      const all = await eventually(async () => {
        const received = await receive(queue, options)
        expect(bodies(received).toSorted()).toEqual(['a', 'b'])
        return received
      })
      await queues().delete(all)
    })

    it('gives one message to one of several receivers', async () => {
      const queue = await aQueue()
      const waiting = Promise.all(Array.from({ length: 4 }, () => receive(queue, { waitSeconds: 2 })))
      await send(queue, 'one')
      expect(bodies((await waiting).flat())).toEqual(['one'])
    })

    it('loses nothing among many senders and receivers', async () => {
      const queue = await aQueue()
      const texts = Array.from({ length: 200 }, (_, at) => `m${at}`)
      const seen = new Set<string>()
      const consume = async (): Promise<void> => {
        while (seen.size < texts.length) {
          const received = await receive(queue, { waitSeconds: 0.2 })
          for (const { body } of received) seen.add(body)
          await queues().delete(received)
        }
      }
      await Promise.all([...texts.map((text) => send(queue, text)), consume(), consume(), consume()])
      expect([...seen].toSorted()).toEqual(texts.toSorted())
    })

    it('holds a delayed message back for its time', async () => {
      const queue = await aQueue()
      const began = performance.now()
      await queues().send(queue, [{ body: 'later', delaySeconds: 3 }, { body: 'now' }])
      expect(bodies(await receive(queue))).toEqual(['now'])
      expect(bodies(await receive(queue, { waitSeconds: 15 }))).toEqual(['later'])
      expect(performance.now() - began).toBeGreaterThan(2950)
    })

    it('stops waiting when the receiver gives up, and loses nothing', async () => {
      const queue = await aQueue()
      const controller = new AbortController()
      const waiting = receive(queue, { waitSeconds: 15, signal: controller.signal })
      await sleep(50)
      controller.abort()
      expect(await waiting).toEqual([])
      expect(await receive(queue, { signal: AbortSignal.abort(), waitSeconds: 5 })).toEqual([])
      await send(queue, 'after')
      expect(bodies(await receive(queue))).toEqual(['after'])
    })

    it('tells about how much waits and is in flight', async () => {
      const queue = await aQueue()
      await send(queue, 'a', 'b', 'c')
      await eventually(async () => expect(await queues().depth(queue)).toEqual({ waiting: 3, inFlight: 0 }))
      await receive(queue, { max: 1 })
      await eventually(async () => expect(await queues().depth(queue)).toEqual({ waiting: 2, inFlight: 1 }))
    })

    it('does not let a quiet group wait behind the backlog of a noisy one', async () => {
      const queue = await aQueue()
      const noisy = Array.from({ length: 100 }, (_, at) => ({ body: `noisy-${at}`, group: 'noisy' }))
      await queues().send(queue, noisy)
      const inFlight = await receive(queue, { max: 3 })
      expect(inFlight).toHaveLength(3)
      await queues().send(queue, [{ body: 'quiet', group: 'quiet' }])
      expect(bodies(await receive(queue, { max: 2 }))).toContain('quiet')
    })

    it('tells a trusted agent where to receive, or that it cannot', async () => {
      const where = await queues().locate(await aQueue())
      expect(where === undefined || where.length > 0).toBe(true)
    })
  })
}
