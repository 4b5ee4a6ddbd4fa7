import type * as z from 'zod'
import type { FieldError } from '#shared/domain/domain-error.ts'

type Raw = z.core.$ZodRawIssue
type Issue = z.core.$ZodIssue

/** RFC 6901. */
export const escapePointer = (part: PropertyKey): string => String(part).replaceAll('~', '~0').replaceAll('/', '~1')

const kinds: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
  null: 'null',
  nonoptional: 'a JSON value',
}
const kindOf = (name: string): string => kinds[name] ?? name

/** A value as it came, short enough for a sentence. */
const shown = (value: unknown): string => {
  if (value === undefined) return 'nothing'
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value))
  return text.length <= 60
    ? text
    : `${kindOf(Array.isArray(value) ? 'array' : typeof value)} of ${text.length} characters`
}

const units: Record<string, [one: string, many: string]> = {
  string: ['character', 'characters'],
  array: ['item', 'items'],
  set: ['item', 'items'],
}

/** `3`, or `3 items`. */
const amountOf = (origin: string, bound: number | bigint): string => {
  const unit = units[origin]
  return unit === undefined ? String(bound) : `${bound} ${bound === 1 ? unit[0] : unit[1]}`
}

const sizeOf = (input: unknown): string => {
  if (typeof input === 'string' || Array.isArray(input)) return String(input.length)
  return shown(input)
}

const choiceOf = (values: readonly unknown[]): string => (values.length === 1 ? '' : 'one of ') + values.join(', ')

const formats: Record<string, string> = {
  datetime: 'a time with its zone such as 2026-01-31T12:00:00Z',
  date: 'a day such as 2026-01-31',
}

type Of<Code> = Extract<Raw, { code: Code }>

/** What would be right, by what is wrong; what is not here is told as the schema tells it. */
const wanted: { [Code in Raw['code']]?: (issue: Of<Code>) => string | undefined } = {
  invalid_type: ({ expected }) => kindOf(expected),
  invalid_value: ({ values }) => choiceOf(values),
  invalid_format: ({ format }) => formats[format],
  too_small: ({ origin, minimum, inclusive }) => `${inclusive ? 'at least' : 'more than'} ${amountOf(origin, minimum)}`,
  too_big: ({ origin, maximum, inclusive }) => `${inclusive ? 'at most' : 'less than'} ${amountOf(origin, maximum)}`,
}

const missing = 'it is missing'

/** Says what would be right, and what came instead: numbers of a query as they were written there. */
export const explainIssue =
  (query: Record<string, unknown> = {}) =>
  (issue: Raw): string | undefined => {
    if (issue.code === 'unrecognized_keys') return fieldsOf(issue)
    const want = (wanted[issue.code] as ((one: Raw) => string | undefined) | undefined)?.(issue)
    if (want === undefined) return undefined
    if (issue.input === undefined) return `${missing}: expected ${want}`
    const written = typeof issue.input === 'number' ? query[String(issue.path?.[0])] : undefined
    return `expected ${want}, received ${typeof written === 'string' ? written || 'nothing' : received(issue)}`
  }

const received = ({ code, input }: Raw): string =>
  code === 'too_small' || code === 'too_big' ? sizeOf(input) : shown(input)

/** The fields that an object has, where there are few enough to be read. */
const fieldsOf = ({ inst }: Raw): string | undefined => {
  const { shape } = (inst as unknown as { _zod?: { def?: { shape?: object } } } | undefined)?._zod?.def ?? {}
  const names = Object.keys(shape ?? {})
  return names.length === 0 ? 'it takes none' : `it takes ${names.join(', ')}`
}

/** Each field that an issue is about. */
export const toFieldErrors = (issue: Issue, root: string): FieldError[] => {
  const pointer = [root, ...issue.path.map(escapePointer)].join('/')
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      pointer: `${pointer}/${escapePointer(key)}`,
      code: 'UNKNOWN_FIELD',
      message: `there is no field ${key}; ${issue.message}`,
    }))
  if (issue.code === 'invalid_union') return toUnionErrors(issue, pointer)
  if (issue.code === 'invalid_key')
    return [{ pointer, code: 'INVALID_KEY', message: `its name does not fit: ${issue.issues[0]?.message}` }]
  return [{ pointer, code: issue.code.toUpperCase(), message: issue.message }]
}

type UnionIssue = Extract<Issue, { code: 'invalid_union' }>

/**
 * What the schema says of the choice where none was made, else what is wrong with the option that was chosen, by the
 * fields that are there, or comes closest.
 */
const toUnionErrors = ({ errors, message }: UnionIssue, pointer: string): FieldError[] => {
  const isOther = (field: FieldError): boolean => field.pointer === pointer || isChoosing(field, pointer)
  const others = (fields: FieldError[]): number =>
    fields.some((field) => isOfOtherKind(field, pointer)) ? Number.MAX_VALUE : fields.filter(isOther).length
  const [closest = []] = errors
    .map((issues) => issues.flatMap((one) => toFieldErrors(one, pointer)))
    .filter((fields) => fields.length > 0)
    .sort((a, b) => others(a) - others(b) || a.length - b.length)
  const none = closest.every(isOther)
  return none && message !== unsaid ? [{ pointer, code: 'INVALID_UNION', message }] : closest
}

/** What zod says of a choice that says nothing of itself. */
const unsaid = 'Invalid input'

/** No field can have chosen an option that is no object, or for a value that is none. */
const isOfOtherKind = ({ pointer, code }: FieldError, root: string): boolean =>
  pointer === root && (code === 'INVALID_TYPE' || code === 'INVALID_VALUE')

/** A field of the option itself is there or is not: that is how one is chosen. */
const isChoosing = ({ pointer, code, message }: FieldError, root: string): boolean =>
  pointer.lastIndexOf('/') === root.length && (code === 'UNKNOWN_FIELD' || message.startsWith(missing))
