import type { Platform } from '../platform.ts'
import { PlatformError } from '../platform-error.ts'

export type Timing = Pick<Platform, 'clock' | 'random'>

const firstMs = 25
const mostMs = 1000
/** About a second and a half in all, and at most three: what a caller can be kept waiting for. */
const rounds = 8

/**
 * Full jitter: anywhere between nothing and a bound that doubles with each round.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export const backOff = ({ clock, random }: Timing, round: number): Promise<void> =>
  clock.sleep(random.number() * Math.min(firstMs * 2 ** round, mostMs))

/** Repeats a call that is in another one's way; when that does not end, it is `THROTTLED`. */
export const patiently = async <T>(
  timing: Timing,
  { what, isBusy }: { what: string; isBusy: (error: unknown) => boolean },
  call: () => Promise<T>,
): Promise<T> => {
  for (let round = 0; ; round++)
    try {
      return await call()
    } catch (error) {
      if (!isBusy(error)) throw error
      if (round === rounds) throw new PlatformError('THROTTLED', `${what} found its items busy`, { cause: error })
      await backOff(timing, round)
    }
}

/** Calls with what is left (`call` answers that) until nothing is or the patience ends. Answers what is left then. */
export const untilNoneIsLeft = async <T>(
  timing: Timing,
  items: T[],
  call: (left: T[]) => Promise<T[]>,
): Promise<T[]> => {
  let left = items
  for (let round = 0; left.length > 0 && round <= rounds; round++) {
    if (round > 0) await backOff(timing, round - 1)
    left = await call(left)
  }
  return left
}

/** Groups of at most `size`, in order. */
export const chunks = <T>(items: T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size))
