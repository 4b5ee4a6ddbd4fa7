import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock, Random } from './platform.ts'

/** Longer ones end at once. https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const longestTimerMs = 2_147_483_647

/** The machine's own time. */
export const createSystemClock = (): Clock => ({
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    let left = Math.max(0, ms)
    for (; left > longestTimerMs; left -= longestTimerMs) await sleep(longestTimerMs, undefined, { signal })
    await sleep(left, undefined, { signal })
  },
})

/** The machine's own randomness. */
export const createSystemRandom = (): Random => ({
  number: () => Math.random(),
  bytes: (length) => randomBytes(length),
})
