import * as z from 'zod'
import { idSchema, objectRefSchema, timeSchema } from './common.ts'

export const createObjectSchema = z.strictObject({
  contentType: z
    .string()
    .max(200)
    .regex(/^[\w.+-]+\/[\w.+-]+(; ?[\w=".+-]+)*$/, 'expected a media type such as application/json')
    .optional(),
  /** Bytes; at most 5 GiB. */
  size: z
    .int()
    .min(0)
    .max(5 * 1024 ** 3)
    .optional(),
  /** Hex, lower case: the upload is refused when its content differs. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hex digits')
    .optional(),
})
export type CreateObject = z.infer<typeof createObjectSchema>

const presignedSchema = z.object({
  method: z.enum(['GET', 'PUT']),
  url: z.string(),
  headers: z.record(z.string(), z.string()),
  expiresAt: timeSchema,
})

export const objectSchema = z
  .object({
    id: idSchema('obj'),
    ref: objectRefSchema,
    state: z.enum(['PENDING', 'STORED']),
    size: z.int().optional(),
    sha256: z.string().optional(),
    contentType: z.string().optional(),
    createdAt: timeSchema,
    /** Send the bytes there, with these headers: only while `PENDING`. Once stored, they stay: other bytes are a 412. */
    upload: presignedSchema.optional(),
    /** Fetch the bytes there: only when `STORED`. */
    download: presignedSchema.optional(),
  })
  .meta({ id: 'Object' })
export type ObjectResponse = z.infer<typeof objectSchema>
