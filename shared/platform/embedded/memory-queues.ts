import type { Clock, QueueMessage, Queues, Received, ReceiveOptions } from '../platform.ts'
import { type Cancel, createAgenda } from './agenda.ts'
import { createMemoryQueue, type Held, type MemoryQueue } from './memory-queue.ts'
import { createQueueTurns } from './queue-turns.ts'
import { createQueueWaiters } from './queue-waiters.ts'

const defaultVisibilitySeconds = 60

const receiptOf = ({ seq, delivery }: Held): string => `${seq}.${delivery}`
const parseReceipt = (receipt: string): [number, number] => {
  const [seq = '', delivery = ''] = receipt.split('.')
  return [Number(seq), Number(delivery)]
}

const toHeld = (message: QueueMessage, seq: number, now: number): Held => ({
  seq,
  body: message.body,
  group: message.group ?? `alone ${seq}`,
  order: message.order ?? Number.POSITIVE_INFINITY,
  for: message.for,
  sentAt: now,
  queuedAt: now,
  receives: 0,
  delivery: 0,
})

type Options = {
  clock: Clock
  /**
   * Resolves when what is being written is written; `undefined`: nothing is. What is sent waits for it: who receives it
   * sooner would have to wait for its record. @default nothing is ever waited for
   */
  written?: () => Promise<void> | undefined
}

/** Queues in memory, to be filled again from the records at each start. Nothing polls: a send wakes who waits. */
export const createMemoryQueues = ({ clock, written }: Options): Queues & { close(): void } => {
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
    held.queuedAt = clock.now()
    if (queueOf(name).push(held)) waiters.wake(name, held.for)
  }
  const settle = (name: string, seq: number, delivery: number): Held | undefined => {
    const held = queueOf(name).settle(seq, delivery)
    if (held) returns.get(seq)?.()
    if (held) returns.delete(seq)
    return held
  }
  const enqueueAfter = (name: string, held: Held, seconds: number): void => {
    if (seconds > 0) agenda.at(clock.now() + seconds * 1000, () => enqueue(name, held))
    else enqueue(name, held)
  }
  const putBack = (name: string, [seq, delivery]: [number, number], seconds = 0): void => {
    const held = settle(name, seq, delivery)
    if (held) enqueueAfter(name, held, seconds)
  }
  const handOut = (name: string, held: Held, visibilitySeconds: number): Received => {
    const { seq, delivery, body, receives, sentAt } = held
    const until = clock.now() + visibilitySeconds * 1000
    returns.set(
      seq,
      agenda.at(until, () => putBack(name, [seq, delivery])),
    )
    return { queue: name, body, receipt: receiptOf(held), receives, sentAt }
  }
  const turns = createQueueTurns({ queueOf, clock })
  const take = (options: ReceiveOptions): Received[] => {
    const { receiver, visibilitySeconds = defaultVisibilitySeconds } = options
    const received: Received[] = []
    for (let name = turns.next(options, 0); name !== undefined; name = turns.next(options, received.length)) {
      const held = queueOf(name).take(receiver)
      if (held) received.push(handOut(name, held, visibilitySeconds))
    }
    return received
  }
  const waiters = createQueueWaiters({
    take,
    isOpen: (name) => queueOf(name).isOpen(),
    after: (ms, act) => agenda.at(clock.now() + ms, act),
  })

  return {
    async ensure(name) {
      queueOf(name)
    },
    async send(name, messages) {
      const writing = written?.()
      if (writing !== undefined) await writing
      if (closed) return
      for (const message of messages) {
        const held = toHeld(message, ++lastSeq, clock.now())
        const { delaySeconds = 0 } = message
        enqueueAfter(name, held, delaySeconds)
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
    async release(messages, delaySeconds = 0) {
      for (const { queue, receipt } of messages) putBack(queue, parseReceipt(receipt), delaySeconds)
    },
    locate: async () => undefined,
    async ahead(name, body) {
      agenda.run()
      return queueOf(name).ahead(body)
    },
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
