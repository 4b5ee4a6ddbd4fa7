import { DomainError, type DomainErrorCode, sentenceOfRefusal } from '#shared/domain/domain-error.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { PlatformError } from '#shared/platform/platform-error.ts'

/** What may be otherwise a minute later: an agent that registers, or that is taken out of its error. */
const passing: DomainErrorCode[] = ['NOT_FOUND', 'CONFLICT', 'CONTENDED']

/** Refusals that no repetition changes. */
export const isFinal = (error: unknown): error is Error =>
  error instanceof DomainError ? !passing.includes(error.code) : error instanceof PlatformError && !error.retryable

/** Nobody waits for an answer: the log says why, the metric that there was one. */
export const tellRefused = ({ telemetry }: Platform, event: { id: string; source: string }, error: Error): void => {
  const reason = error instanceof DomainError ? sentenceOfRefusal(error) : error.message
  telemetry.log('error', 'an event could not be taken in', { event: event.id, source: event.source, reason })
  telemetry.metric('EventsRefused', 1, 'Count')
}
