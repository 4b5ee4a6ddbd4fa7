import * as z from 'zod'
import { boundedJson, idSchema, jsonSchema, namingSchema, pageQuery, pageSchema, timeSchema } from './common.ts'

const who = namingSchema(200)
const comment = z.string().max(2000)
const people = z.array(who).max(50)

/** What a wait for an approval may say besides its prompt. */
export const approvalTerms = {
  /** Names of people, and of groups as `group:NAME`, shown to whoever looks; every key that may decide can decide. */
  approvers: people.optional(),
  /** So many different principals have to approve; at most as many as approvers and escalateTo name, if these are people. @default 1 */
  quorum: z.int().min(1).max(10).optional(),
  /** Together with escalateTo; less than expiresInSeconds. */
  escalateAfterSeconds: z.int().min(1).max(31_536_000).optional(),
  escalateTo: people.optional(),
  /** `resume`: a rejection is told to the handler, which goes on. @default 'fail' */
  onReject: z.enum(['fail', 'resume']).optional(),
}

export const approvalStateSchema = z.enum(['PENDING', 'ESCALATED', 'APPROVED', 'REJECTED', 'EXPIRED', 'CANCELLED'])

export const approvalSchema = z
  .object({
    id: idSchema('apr'),
    state: approvalStateSchema,
    /** The task that asks; a step of a run has none. */
    task: idSchema('tsk').optional(),
    agent: z.string().optional(),
    capability: z.string().nullable(),
    /** The step of a run that asks. */
    step: z.object({ run: idSchema('run'), workflow: z.string(), name: z.string() }).optional(),
    prompt: jsonSchema,
    approvers: z.array(z.string()),
    quorum: z.int(),
    onReject: z.enum(['fail', 'resume']),
    requestedAt: timeSchema,
    escalateAt: timeSchema.optional(),
    escalateTo: z.array(z.string()),
    expiresAt: timeSchema,
    decidedAt: timeSchema.optional(),
    decisions: z.array(
      z.object({
        by: z.string(),
        verdict: z.enum(['approve', 'reject']),
        at: timeSchema,
        comment: z.string().optional(),
        response: jsonSchema.optional(),
      }),
    ),
    history: z.array(
      z.object({
        what: z.enum(['requested', 'approved', 'rejected', 'delegated', 'escalated', 'expired', 'cancelled']),
        by: z.string(),
        at: timeSchema,
        comment: z.string().optional(),
        to: z.array(z.string()).optional(),
      }),
    ),
  })
  .meta({ id: 'Approval' })
export type ApprovalResponse = z.infer<typeof approvalSchema>
export const approvalPageSchema = pageSchema(approvalSchema).meta({ id: 'ApprovalPage' })

export const listApprovalsQuery = z.strictObject({
  ...pageQuery,
  state: approvalStateSchema.optional(),
  task: idSchema('tsk').optional(),
})

export const approveSchema = z.strictObject({ comment: comment.optional(), response: boundedJson(16).optional() })
export const rejectSchema = z.strictObject({ comment: comment.optional() })
export const delegateSchema = z.strictObject({
  to: who,
  /** Whose place it is; absent: everybody's. */
  from: who.optional(),
  comment: comment.optional(),
})
