import * as z from 'zod'
import {
  failureCodeSchema,
  idSchema,
  jsonSchema,
  labelsSchema,
  nameSchema,
  pageQuery,
  timeSchema,
  waitQuery,
} from './common.ts'
import { usageSchema } from './tasks.ts'

const fence = z.string().min(1).max(100)
const amounts = z.record(z.string().min(1).max(63), z.number())

export const joinSchema = z.strictObject({
  /** Name or id. */
  agent: z.string().min(1).max(100),
  version: z.string().max(80).optional(),
  /** Tasks this instance runs at once. @default 1 */
  slots: z.int().min(1).max(10_000).default(1),
  labels: labelsSchema.default({}),
  resources: amounts.optional(),
})
export type Join = z.infer<typeof joinSchema>

export const joinedSchema = z
  .object({
    instanceId: idSchema('ins'),
    token: z.string(),
    tokenExpiresIn: z.int(),
    heartbeatSeconds: z.number(),
    leaseSeconds: z.number(),
    /** Present where an instance may receive task ids from the queues itself: one address a lane, highest first. */
    queue: z
      .object({
        lanes: z.array(
          z.object({
            lane: z.string(),
            address: z.string(),
            /** So many slots stay free when a task of this lane is taken. */
            keepFree: z.int(),
          }),
        ),
      })
      .optional(),
  })
  .meta({ id: 'Joined' })
export type Joined = z.infer<typeof joinedSchema>

export const heartbeatSchema = z.strictObject({
  state: z.enum(['ONLINE', 'BUSY', 'IDLE', 'MAINTENANCE']).optional(),
  load: z.number().min(0).optional(),
  resources: amounts.optional(),
  running: z
    .array(z.strictObject({ taskId: z.string().max(100), fence }))
    .max(10_000)
    .optional(),
})
export type Heartbeat = z.infer<typeof heartbeatSchema>

export const heartbeatAnswerSchema = z
  .object({
    renewed: z.array(z.string()),
    lost: z.array(z.string()),
    cancel: z.array(z.string()),
    drain: z.boolean(),
    config: z.record(z.string(), jsonSchema).optional(),
    /** Something happened to a task that was not reported as running: beat again now. */
    again: z.boolean().optional(),
  })
  .meta({ id: 'HeartbeatAnswer' })
export type HeartbeatAnswer = z.infer<typeof heartbeatAnswerSchema>

export const leaseSchema = z.union(
  [
    z.strictObject({ max: z.int().min(1).max(1000) }),
    z.strictObject({ taskIds: z.array(z.string().max(100)).min(1).max(1000) }),
  ],
  'give either max, or taskIds that were received from the queue of the instance',
)
export type Lease = z.infer<typeof leaseSchema>
export const leaseQuery = z.strictObject({ wait: waitQuery })

export const leasedTaskSchema = z
  .object({
    taskId: idSchema('tsk'),
    fence: z.string(),
    attempt: z.int(),
    capability: z.string().nullable(),
    input: jsonSchema,
    deadline: timeSchema,
    timeoutSeconds: z.number(),
    leaseSeconds: z.number(),
    checkpoint: jsonSchema.optional(),
    resume: z.object({ kind: z.string(), response: jsonSchema, by: z.string() }).optional(),
    traceparent: z.string().nullable(),
    /** The run of a workflow that it is done for: it shares its values. */
    workflowRun: idSchema('run').optional(),
    /** The topics and agents that led to it: messages that it sends name them as their `hops`. */
    hops: z.array(z.string()).optional(),
    budgetLeft: z.record(z.string(), z.number()).nullable(),
  })
  .meta({ id: 'LeasedTask' })
export type LeasedTask = z.infer<typeof leasedTaskSchema>

export const leaseAnswerSchema = z
  .object({
    tasks: z.array(leasedTaskSchema),
    retryAfterSeconds: z.number().optional(),
    /** Of the ids that were named, those for another instance, or for later: give their messages back for some seconds. */
    elsewhere: z.array(z.string()).optional(),
  })
  .meta({ id: 'LeaseAnswer' })
export type LeaseAnswer = z.infer<typeof leaseAnswerSchema>

export const progressSchema = z.strictObject({
  fence,
  percent: z.number().min(0).max(100).optional(),
  message: z.string().max(2000).optional(),
  output: z
    .array(z.strictObject({ chunk: jsonSchema }))
    .max(1000)
    .optional(),
  logs: z
    .array(
      z.strictObject({
        level: z.enum(['debug', 'info', 'warn', 'error']),
        message: z.string().max(16_384),
        fields: z.record(z.string(), jsonSchema).optional(),
      }),
    )
    .max(1000)
    .optional(),
  metrics: z
    .array(
      z.strictObject({
        name: nameSchema,
        value: z.number(),
        unit: z.string().max(30).optional(),
        labels: labelsSchema.optional(),
      }),
    )
    .max(100)
    .optional(),
  checkpoint: jsonSchema.optional(),
  usage: usageSchema.optional(),
})
export type Progress = z.infer<typeof progressSchema>

export const completeSchema = z.strictObject({
  fence,
  result: jsonSchema,
  usage: usageSchema.optional(),
  artifacts: z
    .array(z.strictObject({ name: z.string().min(1).max(200), $ref: idSchema('obj') }))
    .max(100)
    .optional(),
})
export type Complete = z.infer<typeof completeSchema>

/** Several tasks that ended at once. */
export const completeManySchema = z.strictObject({
  completions: z
    .array(completeSchema.extend({ taskId: idSchema('tsk') }))
    .min(1)
    .max(100),
})
export type CompleteMany = z.infer<typeof completeManySchema>
export const completeManyAnswerSchema = z
  .object({
    /** In the order of the completions; `status` is the one that `POST /tasks/{task}/complete` would have answered. */
    outcomes: z.array(
      z.object({ taskId: z.string(), status: z.int(), code: z.string().optional(), detail: z.string().optional() }),
    ),
  })
  .meta({ id: 'CompleteManyAnswer' })
export type CompleteManyAnswer = z.infer<typeof completeManyAnswerSchema>

export const failSchema = z.strictObject({
  fence,
  code: failureCodeSchema,
  message: z.string().max(8192),
  retryable: z.boolean().default(true),
})
export type Fail = z.infer<typeof failSchema>
export const failAnswerSchema = z
  .object({ willRetry: z.boolean(), nextAttemptAt: timeSchema.optional() })
  .meta({ id: 'FailAnswer' })
export type FailAnswer = z.infer<typeof failAnswerSchema>

/** Of the whole attempt: what was recorded of it is replaced. */
export const measuredSchema = usageSchema.pick({ cpuSeconds: true, peakMemoryMb: true, bytesWritten: true })

export const instanceSchema = z
  .object({
    id: idSchema('ins'),
    agent: z.string(),
    version: z.string(),
    state: z.enum(['ONLINE', 'OFFLINE', 'MAINTENANCE']),
    detail: z.string(),
    slots: z.int(),
    running: z.int(),
    labels: labelsSchema,
    joinedAt: timeSchema,
    history: z.array(
      z.object({ from: z.string().optional(), to: z.string(), reason: z.string(), by: z.string(), at: timeSchema }),
    ),
  })
  .meta({ id: 'Instance' })
export type InstanceResponse = z.infer<typeof instanceSchema>

export const listInstancesQuery = z.strictObject(pageQuery)
