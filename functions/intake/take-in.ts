import { checkInput } from '#functions/api/check-input.ts'
import { submitTaskSchema } from '#shared/contracts/tasks.ts'
import type { Caller } from '#shared/domain/caller.ts'
import { DomainError } from '#shared/domain/domain-error.ts'
import { submitTask } from '#shared/domain/tasks/submit-task.ts'
import type { Platform } from '#shared/platform/platform.ts'

/** Another system's event on the default bus: its detail is the body of a submit. */
export type SubmitEvent = { id: string; source: string; detail: unknown }

/** Refusals that no repetition changes. */
const isFinal = (error: unknown): boolean => error instanceof DomainError

/**
 * Turns an event into a task, once however often it is delivered: the event's id is the idempotency key. An event that
 * is no task is logged with what is wrong with it; trying it again would not help.
 */
export const takeIn = async (platform: Platform, event: SubmitEvent): Promise<{ taskId: string } | undefined> => {
  const parsed = submitTaskSchema.safeParse(event.detail)
  const refused = (reason: string): undefined =>
    platform.telemetry.log('error', 'an event could not be made a task', {
      event: event.id,
      source: event.source,
      reason,
    }) as undefined
  if (!parsed.success)
    return refused(parsed.error.issues.map(({ path, message }) => `${path.join('/')}: ${message}`).join('; '))
  const caller: Caller = {
    tenant: 'default',
    principal: { kind: 'key', id: `event:${event.source}`, role: 'admin' },
    requestId: event.id,
  }
  const { runAt, deadline, ...rest } = parsed.data
  const times = {
    runAt: runAt === undefined ? undefined : Date.parse(runAt),
    deadline: deadline === undefined ? undefined : Date.parse(deadline),
  }
  try {
    const task = await submitTask(
      platform,
      caller,
      { ...rest, ...times, idempotencyKey: `event:${event.source}:${event.id}` },
      checkInput,
    )
    return { taskId: task.id }
  } catch (error) {
    if (isFinal(error)) return refused((error as Error).message)
    throw error
  }
}
