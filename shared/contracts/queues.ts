import * as z from 'zod'
import { idSchema, limitQuery, nameSchema, pageQuery, pageSchema, timeSchema } from './common.ts'
import { cloudEventSchema } from './messages.ts'

const longestVisibility = 43_200
const visibilitySchema = z.int().min(1).max(longestVisibility)

export const createQueueSchema = z.strictObject({
  name: nameSchema,
  /** How long a message that was received is kept from others. @default 30 */
  visibilitySeconds: visibilitySchema.default(30),
  /** A message that was received so often and never acknowledged is a dead letter. @default 5 */
  maxReceives: z.int().min(1).max(1000).default(5),
  description: z.string().max(500).optional(),
})

export const queueSchema = z
  .object({
    name: z.string(),
    visibilitySeconds: z.int(),
    maxReceives: z.int(),
    description: z.string().optional(),
    /** With one queue: what waits, is with a receiver, is dead. */
    depth: z.object({ waiting: z.int(), inFlight: z.int(), dead: z.int() }).optional(),
    createdAt: timeSchema,
  })
  .meta({ id: 'Queue' })
export type QueueResponse = z.infer<typeof queueSchema>
export const queuePageSchema = pageSchema(queueSchema).meta({ id: 'QueuePage' })
export const listQueuesQuery = z.strictObject(pageQuery)

export const receiveSchema = z.strictObject({
  /** So many at most. */
  max: z.int().min(1).max(100).default(1),
  /** @default that of the queue */
  visibilitySeconds: visibilitySchema.optional(),
})

export const receivedSchema = z
  .object({
    messages: z.array(
      z.object({
        /** Acknowledges this delivery. */
        receipt: z.string(),
        receives: z.int(),
        /** Until when nobody else gets it. */
        visibleAt: timeSchema,
        message: cloudEventSchema,
      }),
    ),
  })
  .meta({ id: 'ReceivedMessages' })
export type ReceivedMessages = z.infer<typeof receivedSchema>

const receiptsSchema = z.array(z.string().min(1).max(100)).min(1).max(100)
export const acknowledgeSchema = z.strictObject({ receipts: receiptsSchema })
export const extendSchema = z.strictObject({
  receipts: receiptsSchema,
  /** From now on; 0 gives them back. */
  visibilitySeconds: z.int().min(0).max(longestVisibility),
})

export const settledSchema = z
  .object({
    /** In the order of the request. */
    items: z.array(
      z.object({
        receipt: z.string(),
        ok: z.boolean(),
        /** Why not: somebody else has received it, or it is over. */
        code: z.string().optional(),
        message: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'SettledMessages' })

export const deadLetterSchema = z
  .object({
    id: idSchema('ltr'),
    receives: z.int(),
    reason: z.object({ code: z.string(), message: z.string() }),
    /** Without its data. */
    message: cloudEventSchema.omit({ data: true }),
    createdAt: timeSchema,
  })
  .meta({ id: 'DeadLetter' })
export type DeadLetterResponse = z.infer<typeof deadLetterSchema>
export const deadLetterPageSchema = pageSchema(deadLetterSchema).meta({ id: 'DeadLetterPage' })

export const redriveQueueSchema = z.strictObject({
  /** So many at most. */
  limit: limitQuery,
})
