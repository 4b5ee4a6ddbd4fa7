import type { Rate } from './limit.ts'

/**
 * A token bucket as one number: the time (ms) at which it is full again. Each token that is taken moves it by the time
 * that one token takes to come (the generic cell rate algorithm). Absent: it is full.
 */
export type FullAt = number | undefined

const tokenMs = ({ count, seconds }: Rate): number => (seconds * 1000) / count

/** How many tokens are there; a fraction is one on its way. */
export const tokensLeft = (rate: Rate, fullAt: FullAt, now: number): number =>
  Math.min(rate.count, rate.count - Math.max(0, (fullAt ?? now) - now) / tokenMs(rate))

/** A thousandth of a token is rounding. */
const rounding = 0.001

export const wholeTokens = (rate: Rate, fullAt: FullAt, now: number): number =>
  Math.floor(tokensLeft(rate, fullAt, now) + rounding)

/** The bucket without `tokens`, or when so many will be there. */
export const takeTokens = (
  rate: Rate,
  fullAt: FullAt,
  { tokens, now }: { tokens: number; now: number },
): { fullAt: number } | { at: number } => {
  const left = tokensLeft(rate, fullAt, now)
  if (left + rounding >= tokens) return { fullAt: Math.max(fullAt ?? now, now) + tokens * tokenMs(rate) }
  return { at: now + Math.ceil((Math.min(tokens, rate.count) - left) * tokenMs(rate)) }
}

/** Puts tokens back that were not needed. */
export const returnTokens = (rate: Rate, fullAt: FullAt, tokens: number): number =>
  (fullAt ?? 0) - tokens * tokenMs(rate)

/** When the `nth` token from `at` on comes. */
export const nthTokenAt = (rate: Rate, at: number, nth: number): number => at + Math.ceil(nth * tokenMs(rate))
