import type { Platform } from '../../platform/platform.ts'
import { DomainError } from '../domain-error.ts'
import { type Rate, submitLimitId } from './limit.ts'
import { knownLimits } from './limits-store.ts'
import { takeUpTo } from './tokens.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random'>

/** What a caller is told of a rate: what is left of it, and seconds until all of it is there again. */
export type RateState = { name: string; rate: Rate; left: number; fullInSeconds: number }

/** More was submitted than the rate allows; `retryAfterSeconds` is when there is room again. */
export class RateLimitedError extends DomainError {
  readonly state: RateState
  readonly retryAfterSeconds: number

  constructor(state: RateState, retryAfterSeconds: number) {
    const { rate } = state
    super(
      'RATE_LIMITED',
      `the tenant may submit ${rate.count} tasks in ${rate.seconds} s; try again in ${retryAfterSeconds} s`,
    )
    this.state = state
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** Whether there is room for none of what is wanted. */
export const isSpent = (submits: Submits | undefined): submits is Submits =>
  submits !== undefined && submits.wanted > 0 && submits.taken === 0

/** So many of what a client wants to submit anew it may; the others get the refusal. */
export type Submits = { wanted: number; state: RateState; taken: number; refusal: RateLimitedError }

/**
 * Counts what a client submits anew, as many of it as the rate has room for, which may be none. `undefined`: the tenant
 * has no such rate, for which nobody is asked how many there are.
 */
export const takeSubmits = async (
  ports: Ports,
  tenant: string,
  countOf: () => Promise<number>,
): Promise<Submits | undefined> => {
  const rate = (await knownLimits(ports, tenant, undefined)).limits.submitRate
  if (rate === undefined) return undefined
  const wanted = await countOf()
  const { taken, left, at } = await takeUpTo(ports, { tenant, limit: submitLimitId, rate }, wanted)
  const fullInSeconds = Math.ceil(((rate.count - left) * rate.seconds) / rate.count)
  const state = { name: 'submit', rate, left: Math.max(0, Math.floor(left + 0.001)), fullInSeconds }
  const refusal = new RateLimitedError(state, Math.max(1, Math.ceil((at - ports.clock.now()) / 1000)))
  return { wanted, state, taken, refusal }
}
