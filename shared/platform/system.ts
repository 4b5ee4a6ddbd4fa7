import { randomFillSync } from 'node:crypto'
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

const poolBytes = 4096

/** The machine's own randomness, drawn in larger pieces: most who ask want a few bytes. Nothing is handed out twice. */
export const createSystemRandom = (): Random => {
  let pool = new Uint8Array(0)
  return {
    number: () => Math.random(),
    bytes(length) {
      if (length > pool.byteLength) pool = randomFillSync(new Uint8Array(Math.max(poolBytes, length)))
      const drawn = pool.subarray(0, length)
      pool = pool.subarray(length)
      return drawn
    },
  }
}
