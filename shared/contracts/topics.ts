import * as z from 'zod'
import { targetKinds } from '#shared/domain/topics/subscription.ts'
import {
  idSchema,
  isObject,
  jsonSchema,
  labelsSchema,
  limitQuery,
  nameSchema,
  pageQuery,
  pageSchema,
  prioritySchema,
  timeSchema,
} from './common.ts'

const characters = 'use letters, digits, ".", "-", "_", "/" and ":"'

/** The name of a topic. */
export const topicSchema = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[A-Za-z0-9._/:-]+$/, characters)

/** A topic, or the beginning of names followed by `*`. */
export const topicFilterSchema = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[A-Za-z0-9._/:-]*\*?$/, `${characters}; a * at the end stands for any ending`)

/** An event pattern, as EventBridge has them. */
export const patternSchema = z.record(z.string(), jsonSchema)

const oneKind = `name exactly one target: ${targetKinds.join(', ')}`
/** What goes with some targets alone. */
const companions = {
  input: ['capability', 'workflow'],
  priority: ['capability'],
  labels: ['capability'],
  version: ['workflow'],
} as const
const companionNames = Object.keys(companions) as (keyof typeof companions)[]

export const targetSchema = z
  .strictObject({
    /** Each match becomes a task of it. */
    capability: nameSchema.optional(),
    /** Each match starts a run of it. */
    workflow: nameSchema.optional(),
    /** Of a workflow: the number of a version, or an alias. @default the alias `live`, else the latest version */
    version: z.string().min(1).max(100).optional(),
    /** What the task or the run gets: the data of the message, or the message as a CloudEvent. @default data */
    input: z.enum(['data', 'event']).optional(),
    priority: prioritySchema.optional(),
    labels: labelsSchema.optional(),
    /** The id of a webhook: it gets each match, whatever its own filter says. */
    webhook: idSchema('whk').optional(),
    /** The name of an agent: its mailbox gets each match. */
    agent: nameSchema.optional(),
    /** The name of a queue: one of its receivers gets each match. */
    queue: nameSchema.optional(),
    /** Each match is published there. */
    topic: topicSchema.optional(),
    /** Each match goes out to the event bus of the host as a CloudEvent. */
    bus: z.literal(true).optional(),
    /** Each match is told to the sockets that watch `subscription/` and the id of this subscription. */
    socket: z.literal(true).optional(),
  })
  .refine((target) => targetKinds.filter((kind) => target[kind] !== undefined).length === 1, {
    message: oneKind,
    when: ({ value }) => isObject(value),
  })
  .superRefine((target, context) => {
    for (const name of companionNames)
      if (target[name] !== undefined && companions[name].every((kind) => target[kind] === undefined)) {
        const message = `this goes with ${companions[name].join(' and ')} alone`
        context.addIssue({ code: 'custom', path: [name], message })
      }
  })
export type TargetBody = z.infer<typeof targetSchema>

export const createSubscriptionSchema = z.strictObject({
  topic: topicFilterSchema,
  /** Over the message as a CloudEvent. @default every message */
  pattern: patternSchema.optional(),
  target: targetSchema,
  description: z.string().max(500).optional(),
})
export type CreateSubscription = z.infer<typeof createSubscriptionSchema>

export const subscriptionSchema = z
  .object({
    id: idSchema('sub'),
    topic: z.string(),
    pattern: patternSchema.optional(),
    target: z.record(z.string(), jsonSchema),
    description: z.string().optional(),
    createdAt: timeSchema,
  })
  .meta({ id: 'Subscription' })
export type SubscriptionResponse = z.infer<typeof subscriptionSchema>
export const subscriptionPageSchema = pageSchema(subscriptionSchema).meta({ id: 'SubscriptionPage' })
export const listSubscriptionsQuery = z.strictObject(pageQuery)

export const matchStateSchema = z.enum(['PENDING', 'DELIVERED', 'DEAD'])

export const matchSchema = z
  .object({
    id: idSchema('mat'),
    /** The message. */
    message: z.string(),
    /** The replay that gave it again. */
    replay: idSchema('rpl').optional(),
    state: matchStateSchema,
    tries: z.int(),
    /** The task, delivery or message that it became. */
    became: z.string().optional(),
    reason: z.object({ code: z.string(), message: z.string() }).optional(),
    nextTryAt: timeSchema.optional(),
    createdAt: timeSchema,
  })
  .meta({ id: 'Match' })
export type MatchResponse = z.infer<typeof matchSchema>
export const matchPageSchema = pageSchema(matchSchema).meta({ id: 'MatchPage' })
export const listMatchesQuery = z.strictObject({
  ...pageQuery,
  /** `DEAD`: dead letters alone. */
  state: z.literal('DEAD').optional(),
})

export const startReplaySchema = z.strictObject({
  /** Messages from this time on, until now. */
  from: timeSchema,
})

export const replaySchema = z
  .object({
    id: idSchema('rpl'),
    subscription: idSchema('sub'),
    from: timeSchema,
    to: timeSchema,
    state: z.enum(['RUNNING', 'ENDED']),
    /** Messages that it has given again. */
    matched: z.int(),
    createdAt: timeSchema,
  })
  .meta({ id: 'Replay' })
export type ReplayResponse = z.infer<typeof replaySchema>

export const redriveSchema = z.strictObject({
  /** So many at most. */
  limit: limitQuery,
})
export const redrivenSchema = z.object({ redriven: z.int() }).meta({ id: 'Redriven' })
