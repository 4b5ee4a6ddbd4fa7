import { parseAccept } from 'hono/utils/accept'
import { invalid } from '#shared/domain/domain-error.ts'
import type { IfMatch } from '#shared/domain/require-rev.ts'
import type { WantedLabel } from '#shared/domain/wanted-label.ts'

/** The `Idempotency-Key`, if any: 1–255 visible characters. */
export const idempotencyKey = (headers: Headers): string | undefined => {
  const key = headers.get('idempotency-key')
  return key === null ? undefined : checkKey(key, '#/headers/Idempotency-Key')
}

/** An idempotency key, wherever it was given. */
export const checkKey = (key: unknown, pointer: string): string => {
  if (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key)) return key
  throw invalid(pointer, 'INVALID', 'an idempotency key has 1 to 255 visible ASCII characters')
}

/** The `Last-Event-ID`, if any: none but what a stream gives as an id. */
export const lastEventId = (headers: Headers, shape: RegExp): string | undefined => {
  const id = headers.get('last-event-id') ?? ''
  if (id === '') return undefined
  if (shape.test(id)) return id
  throw invalid('#/headers/Last-Event-ID', 'INVALID', `${id.slice(0, 50)} is the id of no event of this stream`)
}

const maxWaitSeconds = 25

/** Seconds of `Prefer: wait=N`, at most 25. https://www.rfc-editor.org/rfc/rfc7240#section-4.3 */
export const preferWait = (headers: Headers): number => {
  const wait = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})"?/i.exec(headers.get('prefer') ?? '')?.[1]
  return Math.min(Number(wait ?? 0), maxWaitSeconds)
}

/** A valid W3C trace context, if any. https://www.w3.org/TR/trace-context/#traceparent-header */
export const traceparent = (headers: Headers): string | undefined => {
  const value = headers.get('traceparent') ?? ''
  return /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(value) ? value : undefined
}

/** Whether a client asks for server-sent events by name, and for JSON no more than for them. */
export const wantsStream = (headers: Headers): boolean => {
  const asked = parseAccept(headers.get('accept') ?? '')
  const quality = (type: string) => asked.find((one) => one.type.toLowerCase() === type)?.q
  const stream = quality('text/event-stream') ?? 0
  return stream > 0 && stream >= (quality('application/json') ?? quality('application/*') ?? quality('*/*') ?? 0)
}

export const toETag = (rev: string): string => `"${rev}"`

const entityTags = /(?<weak>W\/)?(?:"(?<quoted>[^"]*)"|(?<bare>[^\s,"]+))/g

/**
 * The revs of `If-Match`, of which one has to be the current one; `undefined` when any will do. A weak tag matches none.
 * https://www.rfc-editor.org/rfc/rfc9110#section-13.1.1
 */
export const ifMatch = (headers: Headers): IfMatch | undefined => {
  const value = headers.get('if-match')?.trim()
  if (value === undefined || value === '*') return undefined
  const tags = value === '' ? [] : [...value.matchAll(entityTags)]
  return tags.flatMap(({ groups = {} }) => (groups.weak ? [] : (groups.quoted ?? groups.bare ?? [])))
}

/** `a:1,b` as labels that are looked for; a name without a value matches any. */
export const parseLabels = (text: string | undefined): WantedLabel[] =>
  text === undefined ? [] : text.split(',').map(parseLabel)

/** Names and values may have a colon themselves: `a:b:c` is `c` of `a:b` as well as `b:c` of `a`. */
const parseLabel = (part: string): WantedLabel => {
  const splits = [...part.matchAll(/[:=]/g)].map(({ index }): [string, string] => [
    part.slice(0, index),
    part.slice(index + 1),
  ])
  const [[name] = [part]] = splits
  if (name === '')
    throw invalid('#/query/label', 'INVALID', 'a label is key:value, or key alone for any value; this one has no key')
  return splits.length === 0 ? [[part, undefined]] : splits
}

export const iso = (ms: number): string => new Date(ms).toISOString()
