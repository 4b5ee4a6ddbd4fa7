import type { Clock, ReceiveOptions } from '../platform.ts'
import type { MemoryQueue } from './memory-queue.ts'

type Options = { queueOf: (name: string) => MemoryQueue; clock: Clock }

/** Which of its queues gives a receiver the next message. */
export const createQueueTurns = ({ queueOf, clock }: Options) => {
  /** How many were handed out since one that had waited too long came first, by the first queue of the receiver. */
  const since = new Map<string, number>()
  const sinceOf = ([first = '']: string[]): number => since.get(first) ?? 0

  const isOpen = ({ room, max, receiver }: ReceiveOptions, taken: number) => {
    return (name: string, at: number): boolean => taken < (room?.[at] ?? max) && queueOf(name).hasFor(receiver)
  }
  /** The later queue in which something has waited longest, and too long, when it is its turn. */
  const overdue = ({ queues, receiver, aging }: ReceiveOptions, first: number): string | undefined => {
    if (aging === undefined || sinceOf(queues) < aging.oneIn - 1) return undefined
    const before = clock.now() - aging.afterSeconds * 1000
    const ages = queues.slice(first + 1).map((name) => ({ name, oldest: queueOf(name).oldestFor(receiver) }))
    const oldest = Math.min(...ages.map((one) => one.oldest))
    return oldest <= before ? ages.find((one) => one.oldest === oldest)?.name : undefined
  }
  return {
    /** The first that has something and room for it, unless a later one is overdue. `undefined`: none has. */
    next(options: ReceiveOptions, taken: number): string | undefined {
      const { queues, max, aging } = options
      const first = taken < max ? queues.findIndex(isOpen(options, taken)) : -1
      if (first === -1) return undefined
      const late = overdue(options, first)
      if (aging) since.set(queues[0] ?? '', late === undefined ? sinceOf(queues) + 1 : 0)
      return late ?? queues[first]
    },
  }
}
