import type { Seeded } from '../engine/random.ts'

/** What a task asks of the simulated agent that does it. */
export type Wish = {
  n: number
  /** How long it works. */
  ms: number
  /** The probability that an attempt fails. */
  fails: number
  /** How much it tells on its way. */
  reports: number
  /** Characters of the result. */
  big: number
  /** Ends the process that runs it. */
  poison?: boolean
}

export const drawWish = (random: Seeded, n: number, poison: boolean): Wish => ({
  n,
  ms: Math.round(random.chance(0.85) ? random.between(20, 6000) : random.between(10_000, 50_000)),
  fails: random.chance(0.2) ? random.pick([0.5, 1]) : 0,
  reports: random.chance(0.3) ? 1 + random.below(2) : 0,
  big: random.chance(0.1) ? (random.chance(0.1) ? 40_000 : 2000) : 10,
  ...(poison && { poison }),
})
