import { DomainError } from '#shared/domain/domain-error.ts'
import { takeTokens } from '#shared/domain/limits/token-bucket.ts'
import { processMemory } from '#shared/domain/process-memory.ts'
import type { Platform } from '#shared/platform/platform.ts'

/** Frames of one connection: so many at once, and as many within each time after that. */
const rate = { count: 100, seconds: 2 }

/** After so many that were too many a connection is closed. */
const patience = 100

const buckets = processMemory<number>()
const refusals = processMemory<number>()

/** Counts a frame of a connection, as far as this process saw them; `RATE_LIMITED` when there were too many. */
export const takeFrame = ({ volatile, clock }: Pick<Platform, 'volatile' | 'clock'>, connection: string): void => {
  const bucket = buckets(volatile)
  const taken = takeTokens(rate, bucket.get(connection), { tokens: 1, now: clock.now() })
  if ('at' in taken) {
    refusals(volatile).set(connection, (refusals(volatile).get(connection) ?? 0) + 1)
    throw new DomainError('RATE_LIMITED', `a connection may send ${rate.count / rate.seconds} frames a second`)
  }
  bucket.set(connection, taken.fullAt)
}

/** Whether a connection goes on although it was told. */
export const isFlooding = ({ volatile }: Pick<Platform, 'volatile'>, connection: string): boolean =>
  (refusals(volatile).get(connection) ?? 0) > patience
