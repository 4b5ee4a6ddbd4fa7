import { PlatformError } from '../platform-error.ts'
import { isNamed, translated } from './aws-error.ts'
import type { Attributes } from './dynamodb-item.ts'

/** Where a page ended, as text that means nothing to callers. */
export const encodeCursor = (key: Attributes | undefined): string | undefined => {
  if (key === undefined) return undefined
  const texts = Object.entries(key).map(([name, value]) => [name, value.S])
  return Buffer.from(JSON.stringify(Object.fromEntries(texts))).toString('base64url')
}

const parse = (cursor: string): Record<string, unknown> => {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    return typeof key === 'object' && key !== null ? (key as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

export const badCursor = (cause?: unknown): PlatformError =>
  new PlatformError('INVALID', 'the cursor is not one of this list', { cause })

/** The key a cursor stands for: exactly the attributes of `names`, or it is `INVALID`. */
export const decodeCursor = (cursor: string | undefined, names: string[]): Attributes | undefined => {
  if (cursor === undefined) return undefined
  const key = parse(cursor)
  const texts = names.map((name) => key[name])
  if (Object.keys(key).length !== names.length || texts.some((text) => typeof text !== 'string' || text === ''))
    throw badCursor()
  return Object.fromEntries(names.map((name, at) => [name, { S: String(texts[at]) }]))
}

/** A page from a cursor on: what DynamoDB refuses then is the cursor, of another list or another part. */
export const pageFrom = async <T>(what: string, cursor: string | undefined, send: () => Promise<T>): Promise<T> => {
  try {
    return await translated(what, send)
  } catch (error) {
    throw cursor !== undefined && isNamed(error, 'ValidationException') ? badCursor(error) : error
  }
}
