import * as z from 'zod'
import { keySchema } from './common.ts'

const countSchema = z.int().min(1).max(1_000_000)

/** `count` starts in `seconds`. */
export const rateSchema = z.strictObject({ count: countSchema, seconds: z.number().min(0.1).max(86_400) })

/** What a task and everything below it may use; what is left out has no bound. */
export const budgetSchema = z.strictObject({
  /** US dollars. */
  money: z.number().positive().max(1e9).optional(),
  tokens: z.number().positive().max(1e15).optional(),
  /** Of attempts, as the platform measures them. */
  seconds: z.number().positive().max(1e9).optional(),
  /** Tasks below it. */
  children: z.int().min(0).max(1_000_000).optional(),
  /** Levels below it. */
  depth: z.int().min(0).max(20).optional(),
})

/** `null` removes; a field that is left out stays. */
const limitPatchSchema = z.strictObject({ concurrency: countSchema.nullish(), rate: rateSchema.nullish() })
const keyed = <T extends z.ZodType>(value: T, most: number) =>
  z.record(keySchema, value).refine((record) => Object.keys(record).length <= most, `at most ${most} at once`)

/** A merge patch: https://www.rfc-editor.org/rfc/rfc7396 */
export const patchLimitsSchema = z.strictObject({
  tenant: limitPatchSchema.nullish(),
  /** By name of the agent. */
  agents: keyed(limitPatchSchema.nullable(), 200).nullish(),
  /** By fairness key. */
  keys: keyed(limitPatchSchema.nullable(), 200).nullish(),
  /** Of each fairness key that has none of its own. */
  defaultKey: limitPatchSchema.nullish(),
  /** How many tasks clients may submit. */
  submitRate: rateSchema.nullish(),
  /** US dollars for an hour of an attempt, by resource class; `default` for the others. */
  prices: keyed(z.number().min(0).max(1_000_000).nullable(), 100).nullish(),
})
export type PatchLimits = z.infer<typeof patchLimitsSchema>

const useSchema = z.object({
  /** Tasks that run and count in it. */
  running: z.int(),
  /** Tasks that wait for it, up to 1,000. */
  held: z.int(),
  /** Starts that its rate allows now. */
  tokens: z.number().optional(),
})
const limitSchema = z.object({ concurrency: z.int().optional(), rate: rateSchema.optional(), use: useSchema })
export type LimitResponse = z.infer<typeof limitSchema>

export const limitsSchema = z
  .object({
    tenant: limitSchema.optional(),
    /** With the `maxConcurrentTasks` of the agents' own configuration. */
    agents: z.record(z.string(), limitSchema),
    /** Those that are set, and those that the default holds tasks of. */
    keys: z.record(z.string(), limitSchema),
    defaultKey: z.object({ concurrency: z.int().optional(), rate: rateSchema.optional() }).optional(),
    submitRate: rateSchema.extend({ tokens: z.number() }).optional(),
    prices: z.record(z.string(), z.number()),
  })
  .meta({ id: 'Limits' })
export type LimitsResponse = z.infer<typeof limitsSchema>
