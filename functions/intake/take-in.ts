import { checkInput } from '#functions/api/check-input.ts'
import { readSubmit } from '#functions/api/read-submit.ts'
import type { Caller } from '#shared/domain/caller.ts'
import { DomainError, type DomainErrorCode } from '#shared/domain/domain-error.ts'
import { submitTask } from '#shared/domain/tasks/submit-task.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { PlatformError } from '#shared/platform/platform-error.ts'

/** Another system's event on the default bus: its detail is the body of a submit. */
export type SubmitEvent = { id: string; source: string; detail: unknown }

/** What may be otherwise a minute later: an agent that registers, or that is taken out of its error. */
const passing: DomainErrorCode[] = ['NOT_FOUND', 'CONFLICT', 'CONTENDED']

/** Refusals that no repetition changes. */
const isFinal = (error: unknown): error is Error =>
  error instanceof DomainError ? !passing.includes(error.code) : error instanceof PlatformError && !error.retryable

const callerOf = ({ id, source }: SubmitEvent): Caller => ({
  tenant: 'default',
  principal: { kind: 'key', id: `event:${source}`, role: 'admin' },
  requestId: id,
})

/** What is wrong, field by field. */
const reasonOf = (error: Error): string => {
  const fields = error instanceof DomainError ? (error.errors ?? []) : []
  return [error.message, ...fields.map(({ pointer, message }) => `${pointer}: ${message}`)].join('; ')
}

/** Nobody waits for an answer: the log says why, the metric that there was one. */
const tellRefused = ({ telemetry }: Platform, { id, source }: SubmitEvent, reason: string): void => {
  telemetry.log('error', 'an event could not be made a task', { event: id, source, reason })
  telemetry.metric('EventsRefused', 1, 'Count')
}

/**
 * Turns an event into a task, once however often it is delivered: the event's id is the idempotency key. An event that
 * is no task is logged and counted; one that may be a task later is thrown, and comes again.
 */
export const takeIn = async (platform: Platform, event: SubmitEvent): Promise<{ taskId: string } | undefined> => {
  try {
    const command = { ...readSubmit(event.detail), idempotencyKey: `event:${event.source}:${event.id}` }
    const { id } = await submitTask(platform, callerOf(event), command, checkInput)
    return { taskId: id }
  } catch (error) {
    if (!isFinal(error)) throw error
    return void tellRefused(platform, event, reasonOf(error))
  }
}
