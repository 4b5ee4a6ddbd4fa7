import * as z from 'zod'
import { idSchema, labelsSchema, pageQuery, prioritySchema, taskCapabilitySchema, timeSchema } from './common.ts'
import { taskStatusSchema } from './tasks.ts'

const reason = z.string().min(1).max(500).optional()

export const cancelTaskSchema = z.strictObject({ reason })

export const retryTaskSchema = z.strictObject({
  /** Where the new task begins. @default checkpoint */
  from: z.enum(['checkpoint', 'start']).default('checkpoint'),
})
export type RetryTask = z.infer<typeof retryTaskSchema>

export const cancelFilterSchema = z.strictObject({
  status: taskStatusSchema.exclude(['SUCCEEDED', 'FAILED', 'CANCELLED']).optional(),
  /** Name or id. */
  agent: z.string().min(1).max(100).optional(),
  capability: taskCapabilitySchema.optional(),
  priority: prioritySchema.optional(),
  labels: labelsSchema.optional(),
  parent: idSchema('tsk').optional(),
  since: timeSchema.optional(),
  until: timeSchema.optional(),
})

/** No labels are no filter. */
const says = (field: unknown): boolean =>
  field !== undefined && (typeof field !== 'object' || field === null || Object.keys(field).length > 0)

export const cancelTasksSchema = z
  .strictObject({
    filter: cancelFilterSchema.optional(),
    /** Everything that has not ended. */
    all: z.literal(true).optional(),
    /** Told with the end of each task. */
    reason,
    /** Only counts. */
    dryRun: z.boolean().default(false),
  })
  .refine(({ filter = {}, all }) => all === true || Object.values(filter).some(says), {
    message: 'name at least one field of filter, or say "all": true',
    path: ['filter'],
  })
  .refine(({ filter, all }) => all !== true || filter === undefined, {
    message: 'either a filter or "all": true',
    path: ['all'],
  })
export type CancelTasks = z.infer<typeof cancelTasksSchema>

export const cancelledSchema = z
  .object({
    /** Unfinished tasks that the filter named. */
    matched: z.int(),
    cancelled: z.int(),
    /** `false`: there was more than fits into one call; send it again. */
    complete: z.boolean(),
  })
  .meta({ id: 'CancelledTasks' })
export type CancelledTasks = z.infer<typeof cancelledSchema>

export const listAgentHistoryQuery = z.strictObject(pageQuery)
export const agentHistorySchema = z.object({
  items: z.array(
    z.object({
      from: z.string().optional(),
      to: z.string(),
      detail: z.string(),
      reason: z.string(),
      by: z.string(),
      at: timeSchema,
    }),
  ),
  nextCursor: z.string().nullable(),
})

export const changeStateSchema = z.strictObject({ reason })

export const scaleAgentSchema = z.strictObject({
  /** `null`: as many as its work needs. */
  instances: z.int().min(0).max(1000).nullable(),
  reason,
})
