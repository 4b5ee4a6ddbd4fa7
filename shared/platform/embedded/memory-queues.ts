import type { Clock, Queues, Received, ReceiveOptions } from '../platform.ts'
import { createMemoryQueue, type MemoryQueue } from './memory-queue.ts'

const defaultVisibilitySeconds = 60
const maxTimerMs = 2_147_483_647

type Waiter = { queues: string[]; wake: () => void }

const receiptOf = (seq: number, delivery: number): string => `${seq}.${delivery}`
const parseReceipt = (receipt: string): [number, number] => {
  const [seq = '', delivery = ''] = receipt.split('.')
  return [Number(seq), Number(delivery)]
}

/** Queues in memory, to be filled again from the records at each start. Nothing polls: a send wakes who waits. */
export const createMemoryQueues = ({ clock }: { clock: Clock }): Queues & { close(): void } => {
  const queues = new Map<string, MemoryQueue>()
  const waiters = new Set<Waiter>()
  const timers = new Set<NodeJS.Timeout>()
  let lastSeq = 0

  const queueOf = (name: string): MemoryQueue => {
    const queue = queues.get(name) ?? createMemoryQueue()
    queues.set(name, queue)
    return queue
  }
  const visibility = new Map<string, NodeJS.Timeout>()
  const settle = (name: string, seq: number, delivery: number) => {
    const held = queueOf(name).settle(seq, delivery)
    const timer = visibility.get(`${name} ${seq}`)
    if (held && timer) {
      clearTimeout(timer)
      timers.delete(timer)
      visibility.delete(`${name} ${seq}`)
    }
    return held
  }
  const later = (ms: number, act: () => void): NodeJS.Timeout => {
    const timer = setTimeout(
      () => {
        timers.delete(timer)
        act()
      },
      Math.min(ms, maxTimerMs),
    )
    timer.unref()
    timers.add(timer)
    return timer
  }
  const wakeFor = (name: string): void => {
    for (const waiter of waiters)
      if (waiter.queues.includes(name)) {
        waiters.delete(waiter)
        waiter.wake()
        return
      }
  }
  const enqueue = (name: string, message: { body: string; group?: string }, receives = 0): void => {
    if (queueOf(name).push(message, ++lastSeq, clock.now(), receives)) wakeFor(name)
  }
  const putBack = (name: string, seq: number, delivery: number): void => {
    const held = settle(name, seq, delivery)
    if (held) enqueue(name, held, held.receives)
  }

  const take = ({ queues: names, max, visibilitySeconds = defaultVisibilitySeconds }: ReceiveOptions): Received[] => {
    const received: Received[] = []
    for (const name of names)
      while (received.length < max) {
        const held = queueOf(name).take()
        if (held === undefined) break
        const { seq, delivery, body, receives, sentAt } = held
        received.push({ queue: name, body, receipt: receiptOf(seq, delivery), receives, sentAt })
        visibility.set(
          `${name} ${seq}`,
          later(visibilitySeconds * 1000, () => putBack(name, seq, delivery)),
        )
      }
    return received
  }

  /** Resolves when a message may have come, the time is over, or the caller gave up. */
  const wait = (names: string[], ms: number, signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        waiters.delete(waiter)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const waiter: Waiter = { queues: names, wake: done }
      const timer = setTimeout(done, Math.min(ms, maxTimerMs))
      waiters.add(waiter)
      signal?.addEventListener('abort', done)
    })

  return {
    async ensure(name) {
      queueOf(name)
    },
    async send(name, messages) {
      for (const message of messages) {
        const { delaySeconds = 0 } = message
        if (delaySeconds > 0) later(delaySeconds * 1000, () => enqueue(name, message))
        else enqueue(name, message)
      }
    },
    async receive(options) {
      const until = clock.now() + options.waitSeconds * 1000
      let received = take(options)
      while (received.length === 0 && !options.signal?.aborted) {
        const left = until - clock.now()
        if (left <= 0) break
        await wait(options.queues, left, options.signal)
        if (options.signal?.aborted) break
        received = take(options)
      }
      return received
    },
    async delete(messages) {
      for (const { queue, receipt } of messages) settle(queue, ...parseReceipt(receipt))
    },
    async release(messages) {
      for (const { queue, receipt } of messages) putBack(queue, ...parseReceipt(receipt))
    },
    locate: async () => undefined,
    async depth(name) {
      const queue = queueOf(name)
      return { waiting: queue.waiting(), inFlight: queue.inFlight() }
    },
    close() {
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
    },
  }
}
