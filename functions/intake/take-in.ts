import { checkInput } from '#functions/api/check-input.ts'
import { readSubmit } from '#functions/api/read-submit.ts'
import type { Caller } from '#shared/domain/caller.ts'
import { submitTask } from '#shared/domain/tasks/submit-task.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { isFinal, tellRefused } from './refused.ts'

/** The `detail-type` of events that are tasks. */
export const submitType = 'devcycle.task.submit'

/** Another system's event on the default bus: its detail is the body of a submit. */
export type SubmitEvent = { id: string; source: string; detail: unknown }

const callerOf = ({ id, source }: SubmitEvent): Caller => ({
  tenant: 'default',
  principal: { kind: 'key', id: `event:${source}`, role: 'admin' },
  requestId: id,
})

/**
 * Turns an event into a task, once however often it is delivered: the event's id is the idempotency key. An event that
 * is no task is logged and counted; one that may be a task later is thrown, and comes again.
 */
export const takeIn = async (platform: Platform, event: SubmitEvent): Promise<{ taskId: string } | undefined> => {
  try {
    const idempotencyKey = `event\n${event.source}\n${event.id}` // none that a caller can choose
    const command = { ...readSubmit(event.detail), idempotencyKey }
    const { id } = await submitTask(platform, callerOf(event), command, checkInput)
    return { taskId: id }
  } catch (error) {
    if (!isFinal(error)) throw error
    return void tellRefused(platform, event, error)
  }
}
