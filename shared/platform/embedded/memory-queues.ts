import type { Clock, Queues, Received, ReceiveOptions } from '../platform.ts'
import { type Cancel, createAgenda } from './agenda.ts'
import { createMemoryQueue, type Held, type MemoryQueue } from './memory-queue.ts'
import { createQueueWaiters } from './queue-waiters.ts'

const defaultVisibilitySeconds = 60

const receiptOf = ({ seq, delivery }: Held): string => `${seq}.${delivery}`
const parseReceipt = (receipt: string): [number, number] => {
  const [seq = '', delivery = ''] = receipt.split('.')
  return [Number(seq), Number(delivery)]
}

/** Queues in memory, to be filled again from the records at each start. Nothing polls: a send wakes who waits. */
export const createMemoryQueues = ({ clock }: { clock: Clock }): Queues & { close(): void } => {
  const queues = new Map<string, MemoryQueue>()
  const agenda = createAgenda(clock)
  /** Ends of visibility, by message. */
  const returns = new Map<number, Cancel>()
  let lastSeq = 0
  let closed = false

  const queueOf = (name: string): MemoryQueue => {
    const queue = queues.get(name) ?? createMemoryQueue()
    queues.set(name, queue)
    return queue
  }
  const enqueue = (name: string, held: Held): void => {
    if (queueOf(name).push(held)) waiters.wake(name)
  }
  const settle = (name: string, seq: number, delivery: number): Held | undefined => {
    const held = queueOf(name).settle(seq, delivery)
    if (held) returns.get(seq)?.()
    if (held) returns.delete(seq)
    return held
  }
  const putBack = (name: string, seq: number, delivery: number): void => {
    const held = settle(name, seq, delivery)
    if (held) enqueue(name, held)
  }
  const handOut = (name: string, held: Held, visibilitySeconds: number): Received => {
    const { seq, delivery, body, receives, sentAt } = held
    const until = clock.now() + visibilitySeconds * 1000
    returns.set(
      seq,
      agenda.at(until, () => putBack(name, seq, delivery)),
    )
    return { queue: name, body, receipt: receiptOf(held), receives, sentAt }
  }
  const take = ({ queues: names, max, visibilitySeconds = defaultVisibilitySeconds }: ReceiveOptions): Received[] => {
    const received: Received[] = []
    for (const name of names)
      for (let held = received.length < max && queueOf(name).take(); held; ) {
        received.push(handOut(name, held, visibilitySeconds))
        held = received.length < max && queueOf(name).take()
      }
    return received
  }
  const waiters = createQueueWaiters({ take, after: (ms, act) => agenda.at(clock.now() + ms, act) })

  return {
    async ensure(name) {
      queueOf(name)
    },
    async send(name, messages) {
      for (const { body, group, delaySeconds = 0 } of messages) {
        const seq = ++lastSeq
        const held = { seq, body, group: group ?? `alone ${seq}`, sentAt: clock.now(), receives: 0, delivery: 0 }
        if (delaySeconds > 0) agenda.at(clock.now() + delaySeconds * 1000, () => enqueue(name, held))
        else enqueue(name, held)
      }
    },
    async receive(options) {
      if (closed || options.signal?.aborted) return []
      agenda.run()
      const received = take(options)
      const ms = options.waitSeconds * 1000
      return received.length > 0 || ms <= 0 ? received : waiters.wait(options, ms)
    },
    async delete(messages) {
      for (const { queue, receipt } of messages) settle(queue, ...parseReceipt(receipt))
    },
    async release(messages) {
      for (const { queue, receipt } of messages.toReversed()) putBack(queue, ...parseReceipt(receipt))
    },
    locate: async () => undefined,
    async depth(name) {
      agenda.run()
      const queue = queueOf(name)
      return { waiting: queue.waiting(), inFlight: queue.inFlight() }
    },
    /** Ends every wait and forgets everything. */
    close() {
      closed = true
      waiters.close()
      agenda.close()
    },
  }
}
