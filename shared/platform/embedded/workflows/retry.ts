import type { Retrier } from './asl.ts'
import { matches } from './states-error.ts'

type Attempts = { retriers: readonly Retrier[]; error: string | undefined; used: number[]; random: () => number }

const delayMs = (retrier: Retrier, used: number, random: () => number): number => {
  const { IntervalSeconds = 1, BackoffRate = 2, MaxDelaySeconds = Number.POSITIVE_INFINITY, JitterStrategy } = retrier
  const seconds = Math.min(IntervalSeconds * BackoffRate ** used, MaxDelaySeconds)
  return Math.round(seconds * 1000 * (JitterStrategy === 'FULL' ? random() : 1))
}

/** When a state that failed is tried again, and how often each retrier was used then; `undefined`: not again. */
export const nextAttempt = ({
  retriers,
  error,
  used,
  random,
}: Attempts): { ms: number; used: number[] } | undefined => {
  const at = retriers.findIndex(({ ErrorEquals }) => matches(ErrorEquals, error))
  const retrier = retriers[at]
  const count = used[at] ?? 0
  if (retrier === undefined || count >= (retrier.MaxAttempts ?? 3)) return undefined
  const counts = retriers.map((_, other) => (used[other] ?? 0) + (other === at ? 1 : 0))
  return { ms: delayMs(retrier, count, random), used: counts }
}
