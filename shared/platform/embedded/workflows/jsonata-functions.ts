import { createHash, randomUUID } from 'node:crypto'
import jsonata from 'jsonata'

const mostElements = 1_000_000

const partition = (array: unknown[] = [], size = 1): unknown[][] => {
  if (!(size >= 1)) throw new RangeError(`$partition takes a size of at least 1; received ${size}`)
  const step = Math.floor(size)
  return Array.from({ length: Math.ceil(array.length / step) }, (_, at) => array.slice(at * step, (at + 1) * step))
}

const range = (first: number, last: number, step: number): number[] => {
  const count = Math.floor((last - first) / step) + 1
  if (!Number.isFinite(count) || count > mostElements)
    throw new RangeError(`$range gives at most ${mostElements} numbers; received ${first}, ${last}, ${step}`)
  return Array.from({ length: Math.max(0, count) }, (_, at) => first + at * step)
}

const algorithms: Record<string, string> = {
  MD5: 'md5',
  'SHA-1': 'sha1',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
}

const hash = (text: string, name: string): string => {
  const algorithm = algorithms[name]
  if (algorithm === undefined)
    throw new RangeError(`$hash takes one of ${Object.keys(algorithms).join(', ')}; received ${name}`)
  return createHash(algorithm).update(text).digest('hex')
}

/** The same number for the same seed. https://github.com/bryc/code/blob/master/jshash/PRNGs.md#mulberry32 */
const seeded = (seed: number): number => {
  let mixed = (seed + 0x6d2b79f5) | 0
  mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
}

export type Limits = { timeout: number; stack: number; sequence: number }

/**
 * An expression as Step Functions has it: without `$eval`, with its functions.
 * https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html#jsonata-functions
 */
export const compile = (source: string, limits: Limits): jsonata.Expression => {
  const expression = jsonata(source, limits)
  expression.assign('eval', undefined)
  expression.registerFunction('partition', partition, '<a-n:a<a>>')
  expression.registerFunction('range', range, '<nnn:a<n>>')
  expression.registerFunction('hash', hash, '<s-s:s>')
  expression.registerFunction(
    'random',
    (seed?: number) => (seed === undefined ? Math.random() : seeded(seed)),
    '<n?:n>',
  )
  expression.registerFunction('uuid', () => randomUUID(), '<:s>')
  expression.registerFunction('parse', (text: string) => JSON.parse(text) as unknown, '<s-:x>')
  return expression
}

/** Functions, own and given, are no results: the library has them as objects that know each other. */
export const isFunction = (value: unknown): boolean => {
  if (typeof value === 'function') return true
  if (value === null || typeof value !== 'object') return false
  return '_jsonata_lambda' in value || '_jsonata_function' in value
}

/** Why a value is none of JSON, by the first part of it that is not. */
export const whyNoJson = (value: unknown): string | undefined => {
  if (typeof value === 'number' && !Number.isFinite(value)) return `it gives ${value}, a number that JSON does not have`
  if (isFunction(value)) return 'it gives a function'
  if (value === null || typeof value !== 'object') return undefined
  for (const part of Array.isArray(value) ? value : Object.values(value)) {
    const why = whyNoJson(part)
    if (why !== undefined) return why
  }
  return undefined
}

/** What went wrong in an expression, in words: the library throws plain objects. */
export const reasonOf = (error: unknown): string => {
  const { message, code } = (error ?? {}) as { message?: string; code?: string }
  return message ?? code ?? String(error)
}
