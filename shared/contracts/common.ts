import * as z from 'zod'

/** Names of agents and capabilities: letters, digits, `.`, `-`, `_`; none that an address would take for a folder. */
export const nameSchema = z
  .string()
  .min(1)
  .max(100)
  .regex(/^(?!\.{1,2}$)[A-Za-z0-9._-]+$/, 'use letters, digits, ".", "-" and "_", and not "." or ".." alone')

/** Whose tasks are looked for: a capability, or the `message:TYPE` of tasks that handle messages of that type. */
export const taskCapabilitySchema = z
  .string()
  .max(208)
  .regex(/^([A-Za-z0-9._-]{1,100}|message:[\s\S]{1,200})$/, 'use letters, digits, ".", "-" and "_", or message:TYPE')

/** `<prefix>_` and 128 bits in Crockford base 32. */
export const idSchema = (prefix: string) =>
  z
    .string()
    .regex(
      new RegExp(`^${prefix}_[0-9A-HJKMNP-TV-Z]{26}$`),
      `an id looks like ${prefix}_01J… with 26 digits and capital letters, none of them I, L, O or U`,
    )

export const timeSchema = z.iso.datetime({ offset: true })
/** A UTC day, or a time on it. */
const dayOrTime = 'expected a UTC day such as 2026-01-31, or a time such as 2026-01-31T12:00:00Z'
export const daySchema = z.iso.datetime({ offset: true, error: dayOrTime }).or(z.iso.date(dayOrTime))

const labelNameText = 'the name of a label has 1 to 63 characters'
/** Text that is found again by what it is: half of a surrogate pair is none in any encoding. */
const wellFormed = (text: string): boolean => text.isWellFormed()
const wellFormedText = 'expected whole characters; half of a surrogate pair is none'
/** A name that callers choose freely. */
export const keySchema = z.string().min(1).max(200).refine(wellFormed, wellFormedText)

/** Text that people read as a name. */
export const namingSchema = (most: number) =>
  z.string().max(most).regex(/\S/, 'expected a name, which is more than white space')

export const labelsSchema = z
  .record(
    z.string().min(1, labelNameText).max(63, labelNameText).refine(wellFormed, wellFormedText),
    z.string().max(256).refine(wellFormed, wellFormedText),
  )
  .refine((labels) => Object.keys(labels).length <= 50, 'at most 50 labels')

/** https://semver.org, without build metadata. */
const versionPattern =
  /^(0|[1-9]\d{0,8})(\.(0|[1-9]\d{0,8})){2}(-(?=.{1,50}$)(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?$/
export const versionSchema = z.string().regex(versionPattern, 'expected a semantic version such as 1.0.0')
/** Of whoever does a task. */
export const wantedVersionSchema = z
  .string()
  .regex(
    versionPattern,
    'expected one semantic version such as 1.0.0; a range such as ^1.0.0 goes into requirements.version of a task',
  )

/** What a failure is called. */
export const failureCodeSchema = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]{0,63}$/, 'expected an upper snake case code such as AGENT_ERROR')

export const prioritySchema = z.enum(['low', 'normal', 'high', 'urgent'])

/** Any JSON value. */
export const jsonSchema = z.unknown()

export const objectRefSchema = z.strictObject({ $ref: idSchema('obj') })

export const limitQuery = z.coerce.number().int().min(1).max(200).default(50)
export const waitQuery = z.coerce.number().int().min(0).max(20).default(0)
export const afterQuery = z.coerce.number().int().min(0).max(1_000_000_000).default(0)

/** A rule `when` this holds is told with whatever else is wrong. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What every list takes. A cursor goes on with the filter that it came with; with another one it is refused. */
export const pageQuery = { limit: limitQuery, cursor: z.string().max(4096).optional() }

/** `label` is `key:value`, or `key` alone for any value; a key may have a colon itself; repeatable in a comma-separated list. */
export const labelQuery = z.string().max(1024).optional()

export const pageSchema = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() })

/** RFC 9457. https://www.rfc-editor.org/rfc/rfc9457 */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().regex(/^[A-Z][A-Z0-9_]*$/),
    errors: z.array(z.object({ pointer: z.string(), code: z.string(), message: z.string() })).optional(),
    requestId: z.string(),
  })
  .meta({ id: 'Problem' })
export type Problem = z.infer<typeof problemSchema>

/** A JSON value of a bounded size; larger ones go through `POST /objects`. */
export const boundedJson = (kib: number) =>
  jsonSchema
    .refine((value) => value !== undefined, 'expected a JSON value')
    .refine(
      (value) => Buffer.byteLength(JSON.stringify(value) ?? '') <= kib * 1024,
      `at most ${kib} KiB of JSON; upload more through POST /objects and name it`,
    )
