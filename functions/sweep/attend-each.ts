import type { SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { parseDueBody } from '#shared/domain/dispatch/due.ts'
import type { Platform } from '#shared/platform/platform.ts'

export type Attend = (platform: Platform, tenant: string, id: string) => Promise<void>

/** Looks at what messages name, side by side. Answers the messages that must come again. */
export const attendEach = async (platform: Platform, bodies: string[], attend: Attend): Promise<string[]> => {
  const outcomes = await Promise.allSettled(
    bodies.map(async (body) => {
      const due = parseDueBody(body)
      if (due) await attend(platform, due.tenant, due.id)
      else platform.telemetry.log('error', 'a reminder could not be read and was dropped', { body })
    }),
  )
  return bodies.filter((body, at) => failed(platform, body, outcomes[at]))
}

/** Whether it failed; why is in the log. */
export const failed = (
  platform: Pick<Platform, 'telemetry'>,
  what: string,
  outcome: PromiseSettledResult<void> | undefined,
): boolean => {
  if (outcome?.status !== 'rejected') return false
  platform.telemetry.log('error', 'something due could not be attended to', { what, error: String(outcome.reason) })
  return true
}

/** The messages of a batch that Lambda gives back to their queue. */
export const attendRecords = async (
  { Records }: SQSEvent,
  attend: (bodies: string[]) => Promise<string[]>,
): Promise<SQSBatchResponse> => {
  const late = new Set(await attend(Records.map(({ body }) => body)))
  const again = Records.filter(({ body }) => late.has(body))
  return { batchItemFailures: again.map(({ messageId }) => ({ itemIdentifier: messageId })) }
}
