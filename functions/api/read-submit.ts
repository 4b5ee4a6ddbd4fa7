import { Range } from 'semver'
import type * as z from 'zod'
import { submitTaskSchema } from '#shared/contracts/tasks.ts'
import { invalid } from '#shared/domain/domain-error.ts'
import type { SubmitCommand } from '#shared/domain/tasks/submit-command.ts'
import { checkShape, parseWith } from './read-body.ts'

const ms = (time: string | undefined): number | undefined => (time === undefined ? undefined : Date.parse(time))

type Requirements = NonNullable<z.output<typeof submitTaskSchema>['requirements']>

/** With the comparators that the range of versions comes down to. */
const plain = ({ version, ...rest }: Requirements): Requirements => {
  if (version === undefined) return rest
  try {
    return { ...rest, version: new Range(version).range || '*' }
  } catch {
    throw invalid(
      '#/requirements/version',
      'RANGE',
      `${version} is not a range of semantic versions; write one such as ^1.2.0 or >=1.2.0 <3`,
    )
  }
}

/** What the domain is asked by the body of a submit. */
export const toCommand = (body: z.output<typeof submitTaskSchema>): SubmitCommand => ({
  ...body,
  runAt: ms(body.runAt),
  deadline: ms(body.deadline),
  requirements: body.requirements && plain(body.requirements),
})

/** The same of anything that claims to be such a body; what does not fit is `INVALID`, each field by its pointer. */
export const readSubmit = (body: unknown): SubmitCommand => {
  checkShape(body)
  return toCommand(parseWith(submitTaskSchema, body, '#'))
}
