import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock, Random } from './platform.ts'

export const createSystemClock = (): Clock => ({
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, { signal })
  },
})

export const createSystemRandom = (): Random => ({
  number: () => Math.random(),
  bytes: (length) => randomBytes(length),
})
