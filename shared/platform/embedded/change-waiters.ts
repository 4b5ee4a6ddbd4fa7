import { idOfKey } from '../id-of-key.ts'
import type { Key } from '../platform.ts'

const longestMs = 2_147_483_647

/** Readers that wait for the next change of a key. */
export const createChangeWaiters = () => {
  const waiting = new Map<string, Set<() => void>>()
  let closed = false
  return {
    notify(key: Key): void {
      if (waiting.size === 0) return
      const id = idOfKey(key)
      const wakes = waiting.get(id)
      waiting.delete(id)
      for (const wake of wakes ?? []) wake()
    },
    /** Resolves at the next change of the key, or after `ms`. */
    wait: (key: Key, ms: number): Promise<void> =>
      new Promise((resolve) => {
        if (closed) return resolve()
        const id = idOfKey(key)
        const wakes = waiting.get(id) ?? new Set()
        const wake = (): void => {
          clearTimeout(timer)
          wakes.delete(wake)
          if (wakes.size === 0 && waiting.get(id) === wakes) waiting.delete(id)
          resolve()
        }
        const timer = setTimeout(wake, Math.min(ms, longestMs))
        waiting.set(id, wakes.add(wake))
      }),
    /** Wakes everyone, and lets nobody wait any more. */
    close(): void {
      closed = true
      for (const wakes of waiting.values()) for (const wake of wakes) wake()
      waiting.clear()
    },
  }
}
