import { stepMessageSchema } from '#shared/contracts/messages.ts'
import type { StepMessage } from '#shared/domain/workflows/steps/message-step.ts'
import { checkShape, parseWith } from './read-body.ts'

/** What a step of a run sends, of anything that expressions gave; what does not fit is `INVALID`, by its pointer. */
export const readMessage = (fields: unknown): StepMessage => {
  checkShape(fields)
  return parseWith(stepMessageSchema, fields, '#') as StepMessage
}
