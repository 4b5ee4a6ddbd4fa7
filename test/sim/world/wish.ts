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
  /** What it asks people for, once, before it goes on. */
  asks?: 'input' | 'approval'
  /** A task that it calls: `far` is due when nobody waits any more, and ends with its caller alone. */
  calls?: 'near' | 'far'
  /** Of tokens, as it tells in the end. */
  uses?: number
  /** Ends the process that runs it. */
  poison?: boolean
}

/** What people and other tasks have to do with it; what calls a far task fails, and takes that with it. */
const drawOthers = (random: Seeded, far = false): Partial<Wish> => {
  const ticket = random.number()
  if (ticket < 0.12) return { asks: random.pick(['input', 'approval']) }
  if (ticket < 0.18) return { calls: 'near' }
  return far && ticket < 0.22 ? { calls: 'far', fails: 1 } : {}
}

type Drawn = { n: number; poison?: boolean; far?: boolean }

export const drawWish = (random: Seeded, { n, poison, far }: Drawn): Wish => ({
  n,
  ms: Math.round(random.chance(0.85) ? random.between(20, 6000) : random.between(10_000, 50_000)),
  fails: random.chance(0.2) ? random.pick([0.5, 1]) : 0,
  reports: random.chance(0.3) ? 1 + random.below(2) : 0,
  big: random.chance(0.1) ? (random.chance(0.1) ? 40_000 : 2000) : 10,
  ...(random.chance(0.2) && { uses: 1 + random.below(20) }),
  ...drawOthers(random, far),
  ...(poison && { poison }),
})
