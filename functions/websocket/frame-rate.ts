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

/** How often a connection was refused a frame until now; `undefined`: it may send this one. As far as this process saw them. */
export const takeFrame = (
  { volatile, clock }: Pick<Platform, 'volatile' | 'clock'>,
  connection: string,
): number | undefined => {
  const taken = takeTokens(rate, buckets(volatile).get(connection), { tokens: 1, now: clock.now() })
  if ('fullAt' in taken) return void buckets(volatile).set(connection, taken.fullAt)
  const refused = (refusals(volatile).get(connection) ?? 0) + 1
  refusals(volatile).set(connection, refused)
  return refused
}

/** Whether it goes on although it was told. */
export const isFlood = (refused: number): boolean => refused > patience

export const tooManyFrames = (): DomainError =>
  new DomainError('RATE_LIMITED', `a connection may send ${rate.count / rate.seconds} frames a second`)
