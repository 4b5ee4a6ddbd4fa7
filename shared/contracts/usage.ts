import * as z from 'zod'
import { daySchema, pageQuery } from './common.ts'
import { budgetSchema } from './limits.ts'
import { attemptSchema } from './tasks.ts'

const usedSchema = z.object({
  /** Tasks that ended. */
  tasks: z.int(),
  succeeded: z.int(),
  failed: z.int(),
  cancelled: z.int(),
  attempts: z.int(),
  /** Of attempts, as the platform measured them. */
  seconds: z.number(),
  tokens: z.number(),
  /** US dollars, as agents reported them. */
  cost: z.number(),
  /** US dollars for the time of the attempts, by the prices of `PATCH /limits`. */
  compute: z.number(),
})

const utcDaySchema = z.string().regex(/^\d{4}-\d{2}-\d{2}$/)

export const usageQuery = z.strictObject({
  ...pageQuery,
  by: z.enum(['tenant', 'agent', 'day', 'task']).default('day'),
  /** A UTC day or a time on it. @default 29 days before `until` */
  since: daySchema.optional(),
  /** The same; its day is included. @default now */
  until: daySchema.optional(),
})

export const usageReportSchema = z
  .object({
    since: utcDaySchema,
    until: utcDaySchema,
    /** `key`: the tenant, agent, day or task; `(no agent)` where nobody was there to do it. */
    items: z.array(usedSchema.extend({ key: z.string() })),
    totals: usedSchema,
    nextCursor: z.string().nullable(),
  })
  .meta({ id: 'UsageReport' })
export type UsageReportResponse = z.infer<typeof usageReportSchema>

export const taskUsageSchema = z
  .object({
    attempts: z.array(attemptSchema.extend({ seconds: z.number(), compute: z.number() })),
    totals: usedSchema.pick({ seconds: true, tokens: true, cost: true, compute: true }),
    budget: budgetSchema.optional(),
    /** What it may still use, by all budgets that bound it. */
    budgetLeft: z.record(z.string(), z.number()).optional(),
  })
  .meta({ id: 'TaskUsage' })
export type TaskUsageResponse = z.infer<typeof taskUsageSchema>
