import type { QueueMessage, Received, ReceiveOptions } from '#shared/platform/platform.ts'
import type { Seeded } from './random.ts'
import type { Timeline } from './timeline.ts'

type Held = { body: string; receives: number; sentAt: number; visibleAt: number; delivery: number; seq: number }
type Waiting = { options: ReceiveOptions; resolve: (received: Received[]) => void }

/** What happens to one sent message: how many copies arrive (0: it is lost), and how much later. */
export type Transit = { copies: number; lateMs: number }

const defaultVisibilitySeconds = 60

type Options = { timeline: Timeline; random: Seeded; transit: (queue: string) => Transit }

/** Queues that promise no more than SQS does: any order, sometimes twice, sometimes never. */
export const createSimQueues = ({ timeline, random, transit }: Options) => {
  const queues = new Map<string, Map<number, Held>>()
  const waiting = new Set<Waiting>()
  let lastSeq = 0

  const queueOf = (name: string): Map<number, Held> => {
    const queue = queues.get(name) ?? new Map<number, Held>()
    queues.set(name, queue)
    return queue
  }
  const visible = (name: string): Held[] => {
    const ready: Held[] = []
    for (const held of queues.get(name)?.values() ?? []) if (held.visibleAt <= timeline.now()) ready.push(held)
    return ready
  }
  const hand = (queue: string, held: Held, seconds = defaultVisibilitySeconds): Received => {
    held.receives++
    held.delivery++
    held.visibleAt = timeline.now() + seconds * 1000
    timeline.at(held.visibleAt, serve)
    const { body, seq, delivery, receives, sentAt } = held
    return { queue, body, receipt: `${seq}.${delivery}`, receives, sentAt }
  }
  /** From each lane no more than there is room for, from all together no more than `max`. */
  const take = ({ queues: names, max, room, visibilitySeconds }: ReceiveOptions): Received[] => {
    const received: Received[] = []
    for (const [lane, name] of names.entries()) {
      const most = Math.min(max, room?.[lane] ?? max)
      const ready = received.length < most ? visible(name) : []
      while (ready.length > 0 && received.length < most) {
        const [held] = ready.splice(random.chance(0.7) ? 0 : random.below(ready.length), 1)
        if (held) received.push(hand(name, held, visibilitySeconds))
      }
    }
    return received
  }
  /** Hands what became visible to who waits for it. */
  const serve = (): boolean => {
    let served = false
    for (const one of waiting) {
      const received = take(one.options)
      if (received.length === 0) continue
      served = true
      waiting.delete(one)
      one.resolve(received)
    }
    return served
  }
  const settle = ({ queue, receipt }: Received, act: (held: Held, messages: Map<number, Held>) => void): void => {
    const [seq, delivery] = receipt.split('.').map(Number)
    const held = queueOf(queue).get(seq ?? 0)
    if (held && held.delivery === delivery) act(held, queueOf(queue))
  }

  return {
    ensure: (name: string): void => void queueOf(name),
    send(name: string, messages: QueueMessage[]): void {
      for (const { body, delaySeconds = 0 } of messages) {
        const { copies, lateMs } = transit(name)
        for (let copy = 0; copy < copies; copy++) {
          const seq = ++lastSeq
          const visibleAt = timeline.now() + delaySeconds * 1000 + lateMs * (copy + 1)
          queueOf(name).set(seq, { body, seq, receives: 0, sentAt: timeline.now(), visibleAt, delivery: 0 })
          timeline.at(visibleAt, serve)
        }
      }
    },
    receive(options: ReceiveOptions): Promise<Received[]> {
      const received = take(options)
      if (received.length > 0 || options.waitSeconds <= 0) return Promise.resolve(received)
      return new Promise((resolve) => {
        const { signal } = options
        const one: Waiting = {
          options,
          resolve: (received) => {
            signal?.removeEventListener('abort', stop)
            resolve(received)
          },
        }
        waiting.add(one)
        const stop = (): boolean => {
          const waited = waiting.delete(one)
          if (waited) one.resolve([])
          return waited
        }
        signal?.addEventListener('abort', stop)
        timeline.at(timeline.now() + options.waitSeconds * 1000, stop)
      })
    },
    delete(messages: Received[]): void {
      for (const message of messages) settle(message, ({ seq }, queue) => queue.delete(seq))
    },
    release(messages: Received[]): void {
      for (const message of messages)
        settle(message, (held) => {
          held.visibleAt = timeline.now()
        })
      timeline.at(timeline.now(), serve)
    },
    /** As after a start of a host whose queues live in memory. */
    clear: (): void => queues.clear(),
    depth(name: string): { waiting: number; inFlight: number } {
      const ready = visible(name).length
      return { waiting: ready, inFlight: queueOf(name).size - ready }
    },
  }
}
export type SimQueues = ReturnType<typeof createSimQueues>
