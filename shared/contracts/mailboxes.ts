import * as z from 'zod'
import { idSchema, pageSchema, timeSchema } from './common.ts'
import { cloudEventSchema } from './messages.ts'

const positionSchema = z.string().regex(/^\d{15}\.[0-9A-Z]{26}$/, 'expected a position as it was received')

export const receiveMailQuery = z.strictObject({
  /** So many at most. */
  max: z.coerce.number().int().min(1).max(100).default(10),
  /** How long they are kept from others; 0 looks without taking anything. */
  visibilitySeconds: z.coerce.number().int().min(0).max(43_200).default(30),
})

export const mailSchema = z
  .object({
    /** In the order that they came: acknowledges all that was received up to it. */
    position: positionSchema,
    receives: z.int(),
    /** Until when nobody else gets it. */
    visibleAt: timeSchema,
    message: cloudEventSchema,
  })
  .meta({ id: 'Mail' })
export const mailPageSchema = z.object({ items: z.array(mailSchema) }).meta({ id: 'MailPage' })
export type MailPage = z.infer<typeof mailPageSchema>

export const acknowledgeFields = {
  ids: z.array(idSchema('msg')).min(1).max(100).optional(),
  /** All that was received and is kept from others, up to this position. */
  upTo: positionSchema.optional(),
}

/** Either `ids` or `upTo`. */
export const eitherOfThem = {
  is: ({ ids, upTo }: { ids?: unknown; upTo?: unknown }): boolean => (ids === undefined) !== (upTo === undefined),
  message: 'name ids of messages, or the position up to which all are acknowledged',
}
export const acknowledgeMailSchema = z
  .strictObject(acknowledgeFields)
  .refine(eitherOfThem.is, { message: eitherOfThem.message, path: ['ids'] })

export const acknowledgedSchema = z
  .object({
    /** Those that are done; what is not among them is not in the mailbox, or is a dead letter. */
    acknowledged: z.array(idSchema('msg')),
  })
  .meta({ id: 'Acknowledged' })

export const mailboxSchema = z
  .object({
    agent: z.string(),
    waiting: z.int(),
    inFlight: z.int(),
    dead: z.int(),
    /** So many may wait. */
    most: z.int(),
  })
  .meta({ id: 'Mailbox' })

export const deadMailSchema = z
  .object({
    receives: z.int(),
    reason: z.object({ code: z.string(), message: z.string() }),
    /** Without its data. */
    message: cloudEventSchema.omit({ data: true }),
    deadSince: timeSchema,
  })
  .meta({ id: 'DeadMail' })
export const deadMailPageSchema = pageSchema(deadMailSchema).meta({ id: 'DeadMailPage' })

export const redriveMailSchema = z.strictObject({
  /** @default the newest 50 */
  ids: z.array(idSchema('msg')).min(1).max(100).optional(),
})
