import type { Key, Platform } from '../../platform/platform.ts'
import { changeItem } from '../contention.ts'
import type { Rate } from './limit.ts'
import { returnTokens, takeTokens, tokensLeft, wholeTokens } from './token-bucket.ts'

type Ports = Pick<Platform, 'volatile' | 'clock' | 'random'>
type Bucket = { tenant: string; limit: string; rate: Rate }

/** A rate that is changed, or set anew, begins with a bucket of its own, which is full. */
const bucketKey = ({ tenant, limit, rate: { since = 0 } }: Bucket): Key => ({
  pk: `${tenant}#limit#${limit}`,
  sk: `tokens#${since}`,
})

/** A bucket that is full again is none. */
const keepMs = 60_000

/** Changes a bucket with compare-and-swap; `next` answers `undefined` to leave it. */
const changeBucket = async (
  ports: Ports,
  bucket: Bucket,
  next: (fullAt: number | undefined, now: number) => number | undefined,
): Promise<void> => {
  const key = bucketKey(bucket)
  const place = { table: ports.volatile, key, what: `the rate of ${bucket.limit}` }
  await changeItem<number>(ports, place, (before) => {
    const fullAt = next(before, ports.clock.now())
    if (fullAt === undefined) return undefined
    return { ...key, type: 'tokens', value: fullAt, expiresAt: fullAt + keepMs }
  })
}

export type Taken = { taken: boolean; left: number; at: number }

/** Takes as many of `wanted` tokens as there are; `left` are there afterwards, `at` (ms) is when there will be one. */
export const takeUpTo = async (
  ports: Ports,
  bucket: Bucket,
  wanted: number,
): Promise<{ taken: number; left: number; at: number }> => {
  let answer = { taken: 0, left: 0, at: 0 }
  await changeBucket(ports, bucket, (fullAt, now) => {
    const tokens = Math.min(wanted, wholeTokens(bucket.rate, fullAt, now))
    const outcome = takeTokens(bucket.rate, fullAt, { tokens, now })
    const after = 'at' in outcome ? fullAt : outcome.fullAt
    const next = takeTokens(bucket.rate, after, { tokens: 1, now })
    answer = { taken: tokens, left: tokensLeft(bucket.rate, after, now), at: 'at' in next ? next.at : now }
    return tokens === 0 ? undefined : after
  })
  return answer
}

/** Takes tokens; `left` are there afterwards, and where they were too few, `at` (ms) is when there will be enough. */
export const takeFrom = async (ports: Ports, bucket: Bucket, tokens = 1): Promise<Taken> => {
  let answer: Taken = { taken: false, left: 0, at: 0 }
  await changeBucket(ports, bucket, (fullAt, now) => {
    const outcome = takeTokens(bucket.rate, fullAt, { tokens, now })
    if ('at' in outcome) {
      answer = { taken: false, left: tokensLeft(bucket.rate, fullAt, now), at: outcome.at }
      return undefined
    }
    answer = { taken: true, left: tokensLeft(bucket.rate, outcome.fullAt, now), at: now }
    return outcome.fullAt
  })
  return answer
}

/** Puts tokens back that were not used. */
export const giveTo = (ports: Ports, bucket: Bucket, tokens = 1): Promise<void> =>
  changeBucket(ports, bucket, (fullAt) =>
    fullAt === undefined ? undefined : returnTokens(bucket.rate, fullAt, tokens),
  )

/** How many tokens there are, and when there will be one (ms). */
export const tokensOf = async (
  { volatile, clock }: Pick<Platform, 'volatile' | 'clock'>,
  bucket: Bucket,
): Promise<{ left: number; at: number }> => {
  const fullAt = (await volatile.get<number>(bucketKey(bucket)))?.value
  const now = clock.now()
  const next = takeTokens(bucket.rate, fullAt, { tokens: 1, now })
  return { left: tokensLeft(bucket.rate, fullAt, now), at: 'at' in next ? next.at : now }
}
