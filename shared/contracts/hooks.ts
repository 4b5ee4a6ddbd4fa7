import * as z from 'zod'
import { hookSchemes } from '#shared/domain/hooks/hook.ts'
import { idSchema, isObject, jsonSchema, nameSchema, pageQuery, pageSchema, timeSchema } from './common.ts'
import { topicSchema } from './topics.ts'

const schemeSchema = z.enum(hookSchemes)

/** One that the other system chose. */
const secretSchema = z
  .string()
  .min(16)
  .max(256)
  .regex(/^[\x21-\x7e]+$/, 'use visible ASCII characters')

const standardSecret = /^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/

export const createHookSchema = z
  .strictObject({
    /** The end of its address. */
    name: nameSchema,
    scheme: schemeSchema,
    /** What is posted becomes messages on it. */
    topic: topicSchema,
    description: z.string().max(500).optional(),
    secret: secretSchema.optional(),
  })
  .refine(({ scheme, secret }) => scheme === 'github' || secret === undefined || standardSecret.test(secret), {
    message: 'a secret of Standard Webhooks is whsec_ and 24 to 64 bytes in base 64',
    path: ['secret'],
    when: ({ value }) => isObject(value),
  })

export const rotateHookSchema = z.strictObject({ secret: secretSchema.optional() })

export const hookSchema = z
  .object({
    id: idSchema('hok'),
    name: z.string(),
    /** Where the other system posts to, below the address of this one. */
    path: z.string(),
    scheme: schemeSchema,
    topic: z.string(),
    description: z.string().optional(),
    /** Only in the answer to its creation, and of a rotation. */
    secret: z.string().optional(),
    /** Until when the secret before is good as well. */
    previousSecretUntil: timeSchema.optional(),
    createdAt: timeSchema,
    updatedAt: timeSchema,
  })
  .meta({ id: 'Hook' })
export type HookResponse = z.infer<typeof hookSchema>
export const hookPageSchema = pageSchema(hookSchema).meta({ id: 'HookPage' })
export const listHooksQuery = z.strictObject(pageQuery)

/** Anything that its sender signs. */
export const hookBodySchema = jsonSchema
export const hookReceiptSchema = z
  .object({
    /** The message that it became. */
    message: idSchema('msg'),
    /** It had come before, and became nothing more. */
    duplicate: z.boolean(),
  })
  .meta({ id: 'HookReceipt' })
