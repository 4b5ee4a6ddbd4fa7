import type * as z from 'zod'
import { DomainError, type FieldError } from '#shared/domain/domain-error.ts'
import { HttpError } from './errors.ts'
import { escapePointer, explainIssue, toFieldErrors } from './field-errors.ts'

/** The most a JSON body may have; larger things go through `POST /objects`. */
export const maxBodyBytes = 256 * 1024
const maxDepth = 64

const tooLarge = (): HttpError =>
  new HttpError(
    'PAYLOAD_TOO_LARGE',
    `a body may have ${maxBodyBytes} bytes; upload more through POST /objects and pass {"$ref": "obj_…"}`,
  )

const readBytes = async (request: Request): Promise<Uint8Array> => {
  const declared = request.headers.get('content-length')
  if (Number(declared) > maxBodyBytes) throw tooLarge()
  if (declared !== null) return whole(request)
  if (request.body === null) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body) {
    size += chunk.byteLength
    if (size > maxBodyBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** At once: no more comes than was declared. https://www.rfc-editor.org/rfc/rfc9112#section-6.3 */
const whole = async (request: Request): Promise<Uint8Array> => {
  const bytes = new Uint8Array(await request.arrayBuffer())
  if (bytes.byteLength > maxBodyBytes) throw tooLarge()
  return bytes
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/** The body of a request as it came. */
export const readText = async (request: Request): Promise<string> => {
  const bytes = await readBytes(request)
  try {
    return decoder.decode(bytes)
  } catch {
    throw new HttpError('MALFORMED_JSON', 'the body is not text in UTF-8')
  }
}

const parseJson = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(decoder.decode(bytes))
  } catch (error) {
    throw new HttpError(
      'MALFORMED_JSON',
      `the body is not JSON: ${error instanceof Error ? error.message : 'unreadable'}`,
    )
  }
}

/** Refuses what no honest body has: absurd depth, keys that reach for an object's prototype, numbers that would become `null`. */
export const checkShape = (value: unknown, pointer = '#', depth = 0): void => {
  if (value === Infinity || value === -Infinity)
    throw fieldError(pointer, 'TOO_BIG', 'a number is beyond 1.7976931348623157e308; send it as text')
  if (value === null || typeof value !== 'object') return
  if (depth >= maxDepth) throw fieldError(pointer, 'TOO_DEEP', `nested deeper than ${maxDepth} levels`)
  for (const [key, child] of Object.entries(value)) {
    if (key === '__proto__')
      throw fieldError(`${pointer}/__proto__`, 'FORBIDDEN_KEY', 'a key must not be named __proto__')
    checkShape(child, `${pointer}/${escapePointer(key)}`, depth + 1)
  }
}

const fieldError = (pointer: string, code: string, message: string): DomainError =>
  new DomainError('INVALID', message, [{ pointer: pointer.slice(0, 200), code, message }])

const jsonType = /^application\/([\w.+-]+\+)?json\s*(;|$)/i
/** Other patches in JSON, `application/json-patch+json` above all, mean something else. */
const patchType = /^application\/(merge-patch\+)?json\s*(;|$)/i

const requireType = ({ method, headers }: Request): void => {
  const type = headers.get('content-type')
  const isPatch = method === 'PATCH'
  if (type === null || (isPatch ? patchType : jsonType).test(type)) return
  const right = isPatch ? 'application/json or application/merge-patch+json' : 'application/json'
  const accepted: Record<string, string> = isPatch ? { 'accept-patch': right.replace(' or', ',') } : {}
  throw new HttpError('UNSUPPORTED_MEDIA_TYPE', `the body is ${type || 'of no type'}; send ${right}`, accepted)
}

/** The JSON body of a request; `undefined` when there is none. */
export const readJson = async (request: Request): Promise<unknown> => {
  const bytes = await readBytes(request)
  if (bytes.byteLength === 0) return undefined
  const encoding = request.headers.get('content-encoding') ?? 'identity'
  if (encoding !== 'identity')
    throw new HttpError('UNSUPPORTED_MEDIA_TYPE', `the body is encoded as ${encoding}; send it as it is`)
  requireType(request)
  const value = parseJson(bytes)
  checkShape(value)
  return value
}

/** Parses with a schema; what does not fit is `INVALID`, each field named by a pointer below `root`. */
export const parseWith = <S extends z.ZodType>(schema: S, value: unknown, root: '#' | '#/query'): z.output<S> => {
  const parsed = schema.safeParse(value, {
    error: explainIssue(root === '#/query' ? (value as Record<string, unknown>) : {}),
  })
  if (parsed.success) return parsed.data
  const errors = oneOfEach(parsed.error.issues.flatMap((issue) => toFieldErrors(issue, root)))
  const [first] = errors
  throw new DomainError('INVALID', `${first?.pointer}: ${first?.message}`, errors)
}

/** Of two that say the same of one field the last, which is of the narrower bound. */
const oneOfEach = (errors: FieldError[]): FieldError[] => [
  ...new Map(errors.map((error) => [`${error.pointer} ${error.code}`, error])).values(),
]

/** Query parameters as an object. A parameter given twice is refused, except `label`, whose values are joined. */
export const readQuery = (url: URL): Record<string, string> => {
  const query: Record<string, string> = Object.create(null)
  for (const [name, value] of url.searchParams) {
    if (name in query && name !== 'label')
      throw new DomainError('INVALID', `${name} is given twice`, [
        { pointer: `#/query/${name}`, code: 'DUPLICATE', message: 'given twice' },
      ])
    query[name] = name in query ? `${query[name]},${value}` : value
  }
  return { ...query }
}
