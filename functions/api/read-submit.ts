import type * as z from 'zod'
import { submitTaskSchema } from '#shared/contracts/tasks.ts'
import type { SubmitCommand } from '#shared/domain/tasks/submit-command.ts'
import { checkShape, parseWith } from './read-body.ts'

const ms = (time: string | undefined): number | undefined => (time === undefined ? undefined : Date.parse(time))

/** What the domain is asked by the body of a submit. */
export const toCommand = (body: z.output<typeof submitTaskSchema>): SubmitCommand => ({
  ...body,
  runAt: ms(body.runAt),
  deadline: ms(body.deadline),
})

/** The same of anything that claims to be such a body; what does not fit is `INVALID`, each field by its pointer. */
export const readSubmit = (body: unknown): SubmitCommand => {
  checkShape(body)
  return toCommand(parseWith(submitTaskSchema, body, '#'))
}
