import { randomBytes } from 'node:crypto'
import type { Clock, Random } from '#shared/platform/platform.ts'

/** A clock that waits for nobody: sleeping moves it and is written down. Chance is the same number each time. */
export const aTiming = (chance = 0.5): { clock: Clock; random: Random; slept: number[] } => {
  const slept: number[] = []
  let now = 1_800_000_000_000
  const clock: Clock = {
    now: () => now,
    async sleep(ms) {
      slept.push(ms)
      now += ms
    },
  }
  return { clock, random: { number: () => chance, bytes: (length) => randomBytes(length) }, slept }
}
