import * as z from 'zod'
import { defaultExpirySeconds } from '#shared/domain/input/default-expiry.ts'
import { approvalTerms } from './approvals.ts'
import { afterQuery, boundedJson, jsonSchema, waitQuery } from './common.ts'
import { taskSchema } from './tasks.ts'

/** Fields that only a wait for an approval has. */
const termNames = Object.keys(approvalTerms) as (keyof typeof approvalTerms)[]

export const waitSchema = z
  .strictObject({
    fence: z.string().min(1).max(100),
    kind: z.enum(['input', 'approval']),
    /** What people are asked: a sentence, or anything that a form can be made of. */
    prompt: boundedJson(32),
    /** Where the task goes on. @default its last checkpoint */
    checkpoint: jsonSchema.optional(),
    /** @default 604800 */
    expiresInSeconds: z.int().min(1).max(31_536_000).optional(),
    ...approvalTerms,
  })
  .superRefine((wait, context) => {
    for (const name of termNames)
      if (wait.kind !== 'approval' && wait[name] !== undefined)
        context.addIssue({ code: 'custom', path: [name], message: `${name} is for kind approval alone` })
    for (const [field, message] of escalationProblems(wait))
      context.addIssue({ code: 'custom', path: [field], message })
    const named = new Set([...(wait.approvers ?? []), ...(wait.escalateTo ?? [])])
    const isOpenEnded = !wait.approvers?.length || [...named].some(isGroup)
    if (!isOpenEnded && (wait.quorum ?? 1) > named.size)
      context.addIssue({ code: 'custom', path: ['quorum'], message: tooFew(wait.quorum, named.size) })
  })

type Escalation = { escalateAfterSeconds?: number; escalateTo?: string[]; expiresInSeconds?: number }

/** An escalation has a time within the wait, and somebody to go to. */
const escalationProblems = (wait: Escalation): [field: keyof Escalation, message: string][] => {
  const { escalateAfterSeconds: after, escalateTo, expiresInSeconds: expiry = defaultExpirySeconds } = wait
  if (after === undefined)
    return escalateTo?.length ? [['escalateAfterSeconds', 'it is missing: say when it escalates to escalateTo']] : []
  const nobody = 'it is missing: name whom it escalates to after escalateAfterSeconds'
  const late = `expected less than expiresInSeconds (${expiry}${wait.expiresInSeconds === undefined ? ' unless given' : ''}), received ${after}; it would have expired before`
  return [
    ...(escalateTo?.length ? [] : [['escalateTo', nobody] as const]),
    ...(after < expiry ? [] : [['escalateAfterSeconds', late] as const]),
  ].map(([field, message]) => [field, message])
}

/** Nobody knows how many people a group has. */
const isGroup = (name: string): boolean => name.startsWith('group:')

const tooFew = (quorum: number | undefined, named: number): string =>
  `${quorum} have to approve, and ${named} ${named === 1 ? 'is' : 'are'} named by approvers and escalateTo; name as many, a group as group:NAME, or nobody`
export type Wait = z.infer<typeof waitSchema>

const mostRecords = 1000

/** Either `response`, or `records` and `end`. */
export const inputSchema = z
  .strictObject({
    /** The answer to what a WAITING task asked. */
    response: jsonSchema.optional(),
    /** Appended to its input stream, in order. */
    records: z
      .array(jsonSchema)
      .max(mostRecords, `at most ${mostRecords} records at once; send the others with further calls`)
      .optional(),
    /** Nothing follows. @default false */
    end: z.boolean().optional(),
  })
  .superRefine(({ response, records, end = false }, context) => {
    if (response === undefined && !records?.length && !end) refuseInput(context, 'records', neitherWay)
    if (response !== undefined && (records !== undefined || end)) refuseInput(context, 'response', bothWays)
  })

const refuseInput = (context: z.RefinementCtx, field: string, message: string): void =>
  context.addIssue({ code: 'custom', path: [field], message })

const bothWays =
  'either a response to a task that waits, or records (and end) for its input stream; send them with two calls'
const neitherWay =
  'give a response to a task that waits, or at least one record for its input stream, or end that with "end": true'

/** The answer to records. */
export const appendedSchema = z
  .object({
    lastSeq: z.int(),
    /** How many records wait to be read; some that were read lately may be counted. */
    unread: z.int(),
    ended: z.boolean(),
  })
  .meta({ id: 'Appended' })
export type Appended = z.infer<typeof appendedSchema>
export const inputAnswerSchema = z.union([taskSchema, appendedSchema])

export const readInputQuery = z.strictObject({
  after: afterQuery,
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  wait: waitQuery,
  fence: z.string().min(1).max(100).optional(),
})

export const inputPageSchema = z
  .object({
    /** Numbered from 1 without gaps. */
    records: z.array(z.object({ seq: z.int(), value: jsonSchema })),
    /** Nothing follows these records. */
    ended: z.boolean(),
    nextAfter: z.int(),
    /** `wait` was cut short: ask again then. */
    retryAfterSeconds: z.number().optional(),
  })
  .meta({ id: 'InputPage' })
export type InputPage = z.infer<typeof inputPageSchema>
