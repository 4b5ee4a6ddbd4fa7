import type { Writable } from 'node:stream'

/** Requests that wait for something: each is told when its client goes, and all of them when the server stops. */
export const createHeldRequests = () => {
  const held = new Set<AbortController>()
  let over = false
  return {
    /** Aborts when the answer is over, when its client has gone, or when nothing is held any more. */
    hold(answer: Writable): AbortSignal {
      const one = new AbortController()
      held.add(one)
      answer.once('close', () => {
        held.delete(one)
        one.abort()
      })
      if (over || answer.destroyed) one.abort()
      return one.signal
    },
    letGo(): void {
      over = true
      for (const one of held) one.abort()
    },
  }
}

export type HeldRequests = ReturnType<typeof createHeldRequests>
