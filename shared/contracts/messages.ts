import * as z from 'zod'
import { recipientKinds } from '#shared/domain/messages/send-message.ts'
import { mostHops } from '#shared/domain/topics/topic.ts'
import { boundedJson, idSchema, isObject, jsonSchema, nameSchema, timeSchema } from './common.ts'
import { topicSchema } from './topics.ts'

const attributeSchema = z.string().min(1).max(200)

export const recipientSchema = z
  .strictObject({ topic: topicSchema.optional(), queue: nameSchema.optional() })
  .refine((to) => recipientKinds.filter((kind) => to[kind] !== undefined).length === 1, {
    message: `name exactly one recipient: ${recipientKinds.join(', ')}`,
    when: ({ value }) => isObject(value),
  })

export const sendMessageSchema = z.strictObject({
  to: recipientSchema,
  /** What happened, in the past tense: `build.finished`. */
  type: attributeSchema,
  /** Where it comes from. @default the caller */
  source: attributeSchema.optional(),
  /** What it is about. */
  subject: attributeSchema.optional(),
  data: boundedJson(240).optional(),
  /** In a queue it is a dead letter from then on. */
  expiresAt: timeSchema.optional(),
  /** The topics that led to it: a message that goes round is ended. */
  hops: z.array(topicSchema).max(mostHops).optional(),
})

export const sentMessageSchema = z
  .object({
    id: idSchema('msg'),
    to: z.record(z.string(), z.string()),
    type: z.string(),
    source: z.string(),
    subject: z.string().optional(),
    time: timeSchema,
  })
  .meta({ id: 'SentMessage' })

/** A message as its receivers see it. https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md */
export const cloudEventSchema = z
  .object({
    specversion: z.literal('1.0'),
    id: z.string(),
    source: z.string(),
    type: z.string(),
    subject: z.string().optional(),
    time: timeSchema,
    datacontenttype: z.literal('application/json'),
    tenantid: z.string(),
    traceparent: z.string().optional(),
    topic: z.string().optional(),
    /** The topics it passed, with spaces between them. */
    hops: z.string().optional(),
    data: jsonSchema,
  })
  .meta({ id: 'CloudEvent' })
