import type { Received, ReceiveOptions } from '../platform.ts'

type Waiter = { options: ReceiveOptions; finish: (received: Received[]) => void }

type Options = {
  /** Takes what there is for a receiver. */
  take: (options: ReceiveOptions) => Received[]
  /** Whether a queue has something that anybody may have. */
  isOpen: (queue: string) => boolean
  /** Calls back after so long; answers how to cancel. */
  after: (ms: number, act: () => void) => () => void
}

/** Receivers that wait, first come first served; a message goes to one of them at the moment it is taken. */
export const createQueueWaiters = ({ take, isOpen, after }: Options) => {
  const byQueue = new Map<string, Set<Waiter>>()
  /** Queues into which something came, and for whom. */
  const woken = new Map<string, Set<string | undefined>>()

  const join = (waiter: Waiter): void => {
    for (const queue of waiter.options.queues) byQueue.set(queue, (byQueue.get(queue) ?? new Set()).add(waiter))
  }
  const leave = (waiter: Waiter): void => {
    for (const queue of waiter.options.queues) {
      const waiters = byQueue.get(queue)
      waiters?.delete(waiter)
      if (waiters?.size === 0) byQueue.delete(queue)
    }
  }
  const serve = (queue: string, receiver: string | undefined): void => {
    for (const waiter of byQueue.get(queue) ?? []) {
      if (receiver !== undefined && waiter.options.receiver !== receiver) continue
      const received = take(waiter.options)
      if (received.length > 0) waiter.finish(received)
      else if (receiver === undefined && !isOpen(queue)) return
    }
  }
  const serveWoken = (): void => {
    const came = [...woken]
    woken.clear()
    for (const [queue, receivers] of came) for (const receiver of receivers) serve(queue, receiver)
  }

  return {
    /** Something came into a queue, for one receiver or for any; what comes in the same moment is handed out together. */
    wake(queue: string, receiver: string | undefined): void {
      if (!byQueue.has(queue)) return
      if (woken.size === 0) setImmediate(serveWoken)
      woken.set(queue, (woken.get(queue) ?? new Set()).add(receiver))
    },
    /** Resolves with what comes first: messages, the end of the wait, or that the receiver gives up. */
    wait: (options: ReceiveOptions, ms: number): Promise<Received[]> =>
      new Promise((resolve) => {
        const giveUp = (): void => waiter.finish([])
        const waiter: Waiter = {
          options,
          finish(received) {
            cancel()
            leave(waiter)
            options.signal?.removeEventListener('abort', giveUp)
            resolve(received)
          },
        }
        const cancel = after(ms, giveUp)
        options.signal?.addEventListener('abort', giveUp)
        join(waiter)
      }),
    /** Nobody will get anything more. */
    close(): void {
      for (const waiters of [...byQueue.values()]) for (const { finish } of [...waiters]) finish([])
    },
  }
}
