import type { Target } from '../tasks/task.ts'

/** One version of one agent that could do a task. */
export type Candidate = Target & {
  /** Share of new tasks among the versions of one agent, 0–100. */
  weight: number
  /** Slots of the live instances. */
  slots: number
  /** Tasks that wait for or run on it. */
  backlog: number
}

/** Work waiting per slot; without any slot the whole backlog counts, plus the wait for a start. */
const pressure = ({ slots, backlog }: Candidate): number => (slots > 0 ? backlog / slots : backlog + 1)

/**
 * Chooses among those with the least work per slot, by weight. `random` is 0 ≤ n < 1.
 * Candidates of weight 0 get nothing.
 */
export const route = (candidates: Candidate[], random: number): Candidate | undefined => {
  const open = candidates.filter(({ weight }) => weight > 0)
  const least = Math.min(...open.map(pressure))
  const best = open.filter((one) => pressure(one) === least)
  let ticket = random * best.reduce((sum, { weight }) => sum + weight, 0)
  for (const one of best) {
    ticket -= one.weight
    if (ticket < 0) return one
  }
  return best[0]
}
