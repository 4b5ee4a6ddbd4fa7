import type { Clock, Table } from '../platform/platform.ts'
import { processShared } from './process-memory.ts'

/** Whoever waited so long for those before goes on beside them: one that hangs holds nobody up for ever. */
const longestMs = 10_000
const lasts = processShared<Promise<void>>()

type Ports = { main: Table; clock: Clock }

/**
 * Calls of this process about the same thing of a table, one after the other in the order of their coming. Other
 * processes know nothing of it: it spares conflicts and never stands for a condition.
 */
export const inTurn = async <T>({ main, clock }: Ports, key: string, call: () => Promise<T>): Promise<T> => {
  const line = lasts(main)
  const before = line.get(key)
  const { promise: mine, resolve: done } = Promise.withResolvers<void>()
  line.set(key, mine)
  try {
    if (before !== undefined) await atMost(clock, before)
    return await call()
  } finally {
    done()
    if (line.get(key) === mine) line.delete(key)
  }
}

const atMost = async (clock: Clock, before: Promise<void>): Promise<void> => {
  const over = new AbortController()
  const pause = clock.sleep(longestMs, over.signal).catch(() => undefined)
  await Promise.race([before, pause])
  over.abort()
}
