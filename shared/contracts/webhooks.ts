import * as z from 'zod'
import { publicEventTypes } from '#shared/domain/webhooks/event-types.ts'
import {
  idSchema,
  jsonSchema,
  labelsSchema,
  pageQuery,
  pageSchema,
  taskCapabilitySchema,
  timeSchema,
} from './common.ts'

/** `task.succeeded`, `task.*`, `*`. */
const eventSchema = z.enum([...publicEventTypes, 'task.*', 'agent.*', 'approval.*', '*'])

const urlSchema = z.string().min(1).max(2048)

export const callbackSchema = z.strictObject({
  url: urlSchema,
  /** @default the task's end, whichever it is */
  events: z
    .array(z.enum(['task.succeeded', 'task.failed', 'task.cancelled']))
    .min(1)
    .max(3)
    .optional(),
  /** Signs by Standard Webhooks: `whsec_` and 24 to 64 bytes in base 64. */
  secret: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, 'expected whsec_ and 24 to 64 bytes in base 64')
    .optional(),
})

const settings = {
  events: z.array(eventSchema).min(1).max(50),
  /** Only of tasks of this capability; `message:TYPE` of those that handle messages. */
  capability: taskCapabilitySchema.optional(),
  /** Only of tasks with all of these labels. */
  labels: labelsSchema.optional(),
  description: z.string().max(500).optional(),
}

export const createWebhookSchema = z.strictObject({
  /** https or http, of a public address. */
  url: urlSchema,
  ...settings,
  events: settings.events.default(['*']),
})
export type CreateWebhook = z.infer<typeof createWebhookSchema>

export const patchWebhookSchema = z
  .strictObject({
    url: urlSchema.optional(),
    events: settings.events.optional(),
    /** `null` takes it off again, as of the two below. */
    capability: settings.capability.nullable(),
    labels: settings.labels.nullable(),
    description: settings.description.nullable(),
    state: z.enum(['ACTIVE', 'DISABLED']).optional(),
  })
  .refine((patch) => Object.keys(patch).length > 0, 'name at least one field to change')
export type PatchWebhook = z.infer<typeof patchWebhookSchema>

export const webhookSchema = z
  .object({
    id: idSchema('whk'),
    url: z.string(),
    events: z.array(z.string()),
    capability: z.string().optional(),
    labels: labelsSchema.optional(),
    description: z.string().optional(),
    state: z.enum(['ACTIVE', 'DISABLED']),
    disabledReason: z.string().optional(),
    /** Only in the answer to its creation, and of a rotation. */
    secret: z.string().optional(),
    /** Until when the secret before signs as well. */
    previousSecretUntil: timeSchema.optional(),
    createdAt: timeSchema,
    updatedAt: timeSchema,
  })
  .meta({ id: 'Webhook' })
export type WebhookResponse = z.infer<typeof webhookSchema>
export const webhookPageSchema = pageSchema(webhookSchema).meta({ id: 'WebhookPage' })
export const listWebhooksQuery = z.strictObject(pageQuery)

export const deliveryStateSchema = z.enum(['PENDING', 'DELIVERED', 'FAILED', 'CANCELLED'])

export const deliverySchema = z
  .object({
    id: idSchema('dlv'),
    event: jsonSchema,
    state: deliveryStateSchema,
    attempts: z.array(
      z.object({
        at: timeSchema,
        ms: z.int(),
        status: z.int().optional(),
        error: z.string().optional(),
        answer: z.string().optional(),
      }),
    ),
    nextAttemptAt: timeSchema.optional(),
    createdAt: timeSchema,
  })
  .meta({ id: 'Delivery' })
export type DeliveryResponse = z.infer<typeof deliverySchema>
export const deliveryPageSchema = pageSchema(deliverySchema).meta({ id: 'DeliveryPage' })
