import * as z from 'zod'
import { idSchema, jsonSchema, objectRefSchema, pageQuery, pageSchema, problemSchema, timeSchema } from './common.ts'
import { submitTaskSchema, taskSchema } from './tasks.ts'

export const submitTasksSchema = z.strictObject({
  /** Each as in `POST /tasks`, and an `idempotencyKey` of its own if it likes. */
  tasks: z.array(z.record(z.string(), jsonSchema)).min(1).max(100),
})

export const submittedTasksSchema = z
  .object({
    /** In the order of the request. */
    items: z.array(
      z.object({
        index: z.int(),
        /** What `POST /tasks` would have answered. */
        status: z.int(),
        task: taskSchema.optional(),
        problem: problemSchema.optional(),
      }),
    ),
  })
  .meta({ id: 'SubmittedTasks' })
export type SubmittedTasks = z.infer<typeof submittedTasksSchema>

const rowTaskSchema = submitTaskSchema.refine(({ input }) => input === undefined, {
  message: 'the input of each task is its row: leave it out',
  path: ['input'],
})

export const createBatchSchema = z.strictObject({
  name: z.string().min(1).max(200).optional(),
  /** An object of JSON lines, one row a line. */
  input: objectRefSchema,
  /** What is done with each row, as in `POST /tasks`; the row is the input. Without it each row is a whole body. */
  task: rowTaskSchema.optional(),
  /** So many tasks of it wait and run at a time. @default 1000 */
  maxInFlight: z.int().min(1).max(10_000).default(1000),
  /** `stop` ends the batch when more than `maxFailures` rows failed. @default continue */
  onFailure: z.enum(['continue', 'stop']).default('continue'),
  /** @default none with `stop`, any number with `continue` */
  maxFailures: z.int().min(0).max(1_000_000_000).optional(),
})

export const batchSchema = z
  .object({
    id: idSchema('bat'),
    name: z.string().optional(),
    /** `PARTIAL`: it ended, and some rows did not succeed. */
    state: z.enum(['RUNNING', 'SUCCEEDED', 'PARTIAL', 'FAILED', 'CANCELLED']),
    /** The distributed task whose shards it has. */
    task: idSchema('tsk').optional(),
    counts: z.object({
      /** `null` until the last row was read. */
      total: z.int().nullable(),
      submitted: z.int(),
      succeeded: z.int(),
      failed: z.int(),
      cancelled: z.int(),
    }),
    percent: z.int(),
    maxInFlight: z.int(),
    createdAt: timeSchema,
    finishedAt: timeSchema.optional(),
    /** Why no more rows are submitted. */
    message: z.string().optional(),
    /** JSON lines of the rows that did not succeed: `line`, `task`, `code`, `message`. Absent when all did. */
    report: objectRefSchema.optional(),
  })
  .meta({ id: 'Batch' })
export type BatchResponse = z.infer<typeof batchSchema>
export const batchPageSchema = pageSchema(batchSchema).meta({ id: 'BatchPage' })
export const listBatchesQuery = z.strictObject(pageQuery)
