import * as z from 'zod'
import {
  idSchema,
  isObject,
  jsonSchema,
  nameSchema,
  namingSchema,
  pageQuery,
  pageSchema,
  timeSchema,
} from './common.ts'
import { submitTaskSchema } from './tasks.ts'

const cronSchema = z.strictObject({
  /** Five fields, or six with seconds first. */
  expression: z.string().min(1).max(200),
  /** IANA. @default UTC */
  timeZone: z.string().min(1).max(100).default('UTC'),
})
/** What is left out stays; `null` is UTC. */
const cronPatchSchema = z
  .strictObject({
    expression: z.string().min(1).max(200).optional(),
    timeZone: z.string().min(1).max(100).nullable().optional(),
  })
  .refine((cron) => Object.keys(cron).length > 0, 'name at least one field to change')
export type CronPatch = z.infer<typeof cronPatchSchema>
const rateSchema = z.strictObject({ everySeconds: z.int().min(1).max(31_536_000) })
const overlapSchema = z.enum(['skip', 'queue', 'cancel-previous'])

const timing = { cron: cronSchema.optional(), rate: rateSchema.optional(), at: timeSchema.optional() }
const timingCount = ({ cron, rate, at }: { cron?: unknown; rate?: unknown; at?: unknown }): number =>
  [cron, rate, at].filter((one) => one !== undefined).length

const settings = {
  name: namingSchema(100).optional(),
  /** What happens to a start while the task before has not ended. */
  overlap: overlapSchema.optional(),
  /** A start that is late by more is missed; of several late ones only the latest is made. */
  catchUpSeconds: z.int().min(0).max(604_800).optional(),
  /** Each start is made up to so much after its time, by the same amount whoever looks; no more than times are apart. @default 0 */
  jitterSeconds: z.int().min(0).max(86_400).optional(),
  state: z.enum(['ACTIVE', 'PAUSED']).optional(),
}

const scheduledTaskSchema = submitTaskSchema
  .refine(({ runAt }) => runAt === undefined, { message: 'the schedule says when: leave it out', path: ['runAt'] })
  .refine(({ deadline }) => deadline === undefined, {
    message: 'the schedule says when: leave it out',
    path: ['deadline'],
  })
  .refine(({ parent }) => parent === undefined, {
    message: 'a schedule calls by itself: leave it out',
    path: ['parent'],
  })

/** The workflow that each start runs. */
const scheduledRunSchema = z.strictObject({
  workflow: nameSchema,
  /** The number of a version, or an alias. @default the alias `live`, else the latest version */
  version: z.string().min(1).max(100).optional(),
  input: jsonSchema.optional(),
})
const workCount = ({ task, run }: { task?: unknown; run?: unknown }): number =>
  [task, run].filter((one) => one !== undefined).length
const oneWork = 'name one of task and run'

export const createScheduleSchema = z
  .strictObject({
    ...timing,
    /** The body of `POST /tasks`; it has no `runAt`, `deadline` and `parent`. */
    task: scheduledTaskSchema.optional(),
    run: scheduledRunSchema.optional(),
    ...settings,
  })
  .refine((body) => workCount(body) === 1, { message: oneWork, path: ['task'], when: ({ value }) => isObject(value) })
  .refine((body) => timingCount(body) === 1, {
    message: 'name one of cron, rate and at',
    path: ['cron'],
    when: ({ value }) => isObject(value),
  })
export type CreateSchedule = z.infer<typeof createScheduleSchema>

export const patchScheduleSchema = z
  .strictObject({
    ...timing,
    cron: cronPatchSchema.optional(),
    task: scheduledTaskSchema.optional(),
    run: scheduledRunSchema.optional(),
    ...settings,
  })
  .refine((patch) => workCount(patch) <= 1, { message: oneWork, path: ['task'] })
  .refine((patch) => Object.keys(patch).length > 0, 'name at least one field to change')
  .refine((patch) => timingCount(patch) <= 1, { message: 'name one of cron, rate and at', path: ['cron'] })
export type PatchSchedule = z.infer<typeof patchScheduleSchema>

export const scheduleSchema = z
  .object({
    id: idSchema('sch'),
    name: z.string().optional(),
    cron: cronSchema.optional(),
    rate: rateSchema.optional(),
    at: timeSchema.optional(),
    /** In a list without a large input and without large shards: the schedule itself has them. */
    task: jsonSchema.optional(),
    /** In a list without a large input. */
    run: jsonSchema.optional(),
    overlap: overlapSchema,
    catchUpSeconds: z.int(),
    jitterSeconds: z.int(),
    /** `ENDED`: there is no further start. */
    state: z.enum(['ACTIVE', 'PAUSED', 'ENDED']),
    /** The next five starts, each with its part of `jitterSeconds`. */
    next: z.array(timeSchema),
    last: z
      .object({
        at: timeSchema,
        task: idSchema('tsk').optional(),
        run: idSchema('run').optional(),
        outcome: z.enum(['STARTED', 'SKIPPED', 'REFUSED']),
        message: z.string().optional(),
      })
      .optional(),
    /** The start that waits for the end of the task before. */
    waitingFor: timeSchema.optional(),
    counts: z.object({ started: z.int(), skipped: z.int(), missed: z.int(), refused: z.int() }),
    createdAt: timeSchema,
    updatedAt: timeSchema,
  })
  .meta({ id: 'Schedule' })
export type ScheduleResponse = z.infer<typeof scheduleSchema>
export const scheduleRunSchema = z
  .object({
    /** `QUEUED`: it starts when the task before has ended. */
    outcome: z.enum(['STARTED', 'QUEUED', 'SKIPPED', 'REFUSED']),
    at: timeSchema,
    task: idSchema('tsk').optional(),
    run: idSchema('run').optional(),
    /** Why there is no task, or none yet. */
    message: z.string().optional(),
  })
  .meta({ id: 'ScheduleRun' })
export type ScheduleRun = z.infer<typeof scheduleRunSchema>
export const schedulePageSchema = pageSchema(scheduleSchema).meta({ id: 'SchedulePage' })
export const listSchedulesQuery = z.strictObject(pageQuery)
