import * as z from 'zod'
import {
  afterQuery,
  idSchema,
  isObject,
  jsonSchema,
  keySchema,
  labelQuery,
  labelsSchema,
  limitQuery,
  nameSchema,
  objectRefSchema,
  pageQuery,
  pageSchema,
  prioritySchema,
  taskCapabilitySchema,
  timeSchema,
  wantedVersionSchema,
} from './common.ts'
import { budgetSchema } from './limits.ts'
import { retrySchema } from './retry.ts'
import { onlyWithShards, quorumInReach, shardFields } from './shards.ts'
import { callbackSchema, deliveryStateSchema } from './webhooks.ts'

export const taskStatusSchema = z.enum([
  'SCHEDULED',
  'QUEUED',
  'RUNNING',
  'WAITING',
  'SUCCEEDED',
  'FAILED',
  'CANCELLED',
])

/** Hard conditions on who does a task: without anybody who meets them it waits. */
export const requirementsSchema = z.strictObject({
  /** Each is a label of the agent, or of the instance that does it. */
  labels: labelsSchema.optional(),
  /** The agent declares this class. */
  resourceClass: nameSchema.optional(),
  /** A range of semantic versions, such as `^1.2.0`. */
  version: z.string().min(1).max(80).optional(),
})

export const submitTaskSchema = z
  .strictObject({
    capability: nameSchema.optional(),
    /** Name or id. */
    agent: z.string().min(1).max(100).optional(),
    /** This one and no other; a range goes into `requirements`. */
    version: wantedVersionSchema.optional(),
    input: jsonSchema.optional(),
    priority: prioritySchema.optional(),
    labels: labelsSchema.default({}),
    runAt: timeSchema.optional(),
    deadline: timeSchema.optional(),
    timeoutSeconds: z.int().min(1).max(604_800).optional(),
    retry: retrySchema.optional(),
    requirements: requirementsSchema.optional(),
    /** Tasks of one key of an agent run on one instance while it lives. */
    affinityKey: keySchema.optional(),
    /** Inside a lane, keys take turns. @default the label that the agent names, else the submitter */
    fairnessKey: keySchema.optional(),
    /** What it and everything below it may use together. */
    budget: budgetSchema.optional(),
    /** Who is told of its end, by a webhook of this task alone. */
    callback: callbackSchema.optional(),
    /** The task that calls this one: it is cancelled when that fails or is cancelled, and has no later deadline. */
    parent: idSchema('tsk').optional(),
    ...shardFields,
  })
  .refine((task) => task.capability !== undefined || task.agent !== undefined, {
    message: 'name a capability or an agent',
    path: ['capability'],
    when: ({ value }) => isObject(value),
  })
  .refine(quorumInReach, { message: 'more than there are shards', path: ['quorum'] })
  .refine(onlyWithShards, { message: 'join, quorum, onFailure and maxInFlight need shards', path: ['shards'] })
export type SubmitTask = z.infer<typeof submitTaskSchema>

/** Sums of amounts stay exact far beyond what anything can use. */
const amountSchema = z.number().min(0).max(1e12)

export const usageSchema = z.strictObject({
  seconds: amountSchema.optional(),
  tokens: amountSchema.optional(),
  /** US dollars. */
  cost: amountSchema.optional(),
  /** Processor time over all processes of the task. */
  cpuSeconds: amountSchema.optional(),
  /** The most memory that they had at once. */
  peakMemoryMb: amountSchema.optional(),
  /** What they wrote to storage. */
  bytesWritten: amountSchema.optional(),
})
export type Usage = z.infer<typeof usageSchema>

export const failureSchema = z.object({ code: z.string(), message: z.string(), retryable: z.boolean() })

export const taskSchema = z
  .object({
    id: idSchema('tsk'),
    status: taskStatusSchema,
    agent: z.string().nullable(),
    version: z.string().nullable(),
    capability: z.string().nullable(),
    priority: prioritySchema,
    labels: labelsSchema,
    parent: idSchema('tsk').optional(),
    /** The batch that it is a row of. */
    batch: idSchema('bat').optional(),
    /** The current attempt, or the last one; 0 before the first. */
    attempt: z.int(),
    /** Grows by one with each lost lease: those are counted apart. */
    maxAttempts: z.int(),
    createdAt: timeSchema,
    startedAt: timeSchema.optional(),
    finishedAt: timeSchema.optional(),
    runAt: timeSchema.optional(),
    deadline: timeSchema.optional(),
    requirements: requirementsSchema.optional(),
    affinityKey: z.string().optional(),
    /** Between whom turns are taken inside its lane. */
    fairnessKey: z.string(),
    /** How its agent was chosen; `candidates` are the best of several, the highest score first. */
    routing: z
      .object({
        reason: z.string(),
        candidates: z.array(z.object({ agent: z.string(), version: z.string(), score: z.number() })).optional(),
      })
      .optional(),
    progress: z.object({ percent: z.number().optional(), message: z.string().optional() }).optional(),
    blockedBy: z.object({ code: z.string(), message: z.string() }).optional(),
    /** What a WAITING task waits for. */
    waiting: z
      .object({
        kind: z.enum(['input', 'approval']),
        prompt: jsonSchema,
        since: timeSchema,
        expiresAt: timeSchema,
        approval: idSchema('apr').optional(),
      })
      .optional(),
    failure: failureSchema.optional(),
    result: jsonSchema.optional(),
    resultRef: objectRefSchema.optional(),
    budget: budgetSchema.optional(),
    cost: usageSchema.optional(),
    /** `state`: that of its delivery, once there is one. */
    callback: z.object({ url: z.string(), state: deliveryStateSchema.optional() }).optional(),
    /** The schedule that started it. */
    schedule: idSchema('sch').optional(),
    /** The run that it is a step of. */
    workflowRun: idSchema('run').optional(),
    /** The topics and agents that led to it, when a message did. */
    hops: z.array(z.string()).optional(),
    /** The task that this one does again. */
    retryOf: idSchema('tsk').optional(),
  })
  .meta({ id: 'Task' })
export type TaskResponse = z.infer<typeof taskSchema>
export const taskPageSchema = pageSchema(taskSchema).meta({ id: 'TaskPage' })

export const listTasksQuery = z.strictObject({
  ...pageQuery,
  status: taskStatusSchema.optional(),
  agent: z.string().max(100).optional(),
  capability: taskCapabilitySchema.optional(),
  priority: prioritySchema.optional(),
  label: labelQuery,
  parent: idSchema('tsk').optional(),
  workflowRun: idSchema('run').optional(),
  since: timeSchema.optional(),
  until: timeSchema.optional(),
})
export type ListTasks = z.infer<typeof listTasksQuery>
export const listChildrenQuery = z.strictObject({ ...pageQuery, status: taskStatusSchema.optional() })

export const attemptSchema = z
  .object({
    attempt: z.int(),
    instance: z.string(),
    version: z.string(),
    fence: z.string(),
    startedAt: timeSchema,
    finishedAt: timeSchema.optional(),
    /** `RUNNING`, `SUCCEEDED`, `CANCELLED`, `RELEASED` or the failure's code. */
    outcome: z.string(),
    message: z.string().optional(),
    usage: usageSchema.optional(),
  })
  .meta({ id: 'Attempt' })
export type AttemptResponse = z.infer<typeof attemptSchema>
export const listAttemptsQuery = z.strictObject(pageQuery)
export const attemptListSchema = z.object({ items: z.array(attemptSchema), nextCursor: z.string().nullable() })

export const taskEventTypes = ['task.state', 'task.progress', 'task.output', 'task.log'] as const
export const taskEventSchema = z
  .object({
    /** From 1, without gaps at rest. */
    seq: z.int(),
    type: z.enum(taskEventTypes),
    time: timeSchema,
    data: z.record(z.string(), jsonSchema),
  })
  .meta({ id: 'TaskEvent' })
export type TaskEvent = z.infer<typeof taskEventSchema>
export const taskEventPageSchema = pageSchema(taskEventSchema).meta({ id: 'TaskEventPage' })
export const taskEventsQuery = z.strictObject({ after: afterQuery, limit: limitQuery, cursor: z.string().optional() })
