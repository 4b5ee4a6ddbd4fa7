import { idOfKey } from './id-of-key.ts'
import type { Add, Item, Key, Write } from './platform.ts'
import { PlatformError } from './platform-error.ts'

/** The most that a value may have as JSON: what DynamoDB can hold, so that nothing grows up that cannot move there. */
const maxValueBytes = 390 * 1024
const maxTransaction = 25
/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html */
const maxKeyBytes = { pk: 2048, sk: 1024 } as const
type KeyPart = keyof typeof maxKeyBytes

const refuse = (message: string): never => {
  throw new PlatformError('INVALID', message)
}

/** Bytes of a text that are too many; counted when its length does not tell already. */
const excess = (text: string, limit: number): number | undefined => {
  if (text.length * 3 <= limit) return undefined
  const bytes = Buffer.byteLength(text)
  return bytes > limit ? bytes : undefined
}

/**
 * Keys have characters, not too many, and no halves of surrogate pairs, which no host stores as they are. Callers are told of
 * a refusal, and know nothing of keys: it does not show any.
 */
const problemOf = (part: KeyPart, text: string): string | undefined => {
  if (text === '') return 'a key has characters; received an empty one'
  if (!text.isWellFormed()) return 'a key is well-formed text; received half of a surrogate pair'
  const bytes = excess(text, maxKeyBytes[part])
  return bytes === undefined ? undefined : `a key has at most ${maxKeyBytes[part]} bytes; received ${bytes}`
}

/** Whether there can be items with this partition key: a reader finds none otherwise. */
export const isPk = (pk: string): boolean => problemOf('pk', pk) === undefined

/** Whether there can be an item with this key: a reader finds none otherwise. */
export const isKey = ({ pk, sk }: Key): boolean => isPk(pk) && problemOf('sk', sk) === undefined

const checkKey = ({ pk, sk }: Key): void => {
  const problem = problemOf('pk', pk) ?? problemOf('sk', sk)
  if (problem !== undefined) refuse(problem)
}

/** The key that a write is about. */
export const keyOf = (write: Write | Add): Key => (write.op === 'put' ? write.item : write.key)

/** Refuses a write that some host could not do. */
export const checkWrite = (write: Write | Add): void => {
  checkKey(keyOf(write))
  if (write.op === 'put') for (const key of Object.values(write.item.index ?? {})) checkKey(key)
}

/** 2–25 writes of distinct keys. */
export const checkTransaction = (writes: (Write | Add)[]): void => {
  for (const write of writes) checkWrite(write)
  const keys = new Set(writes.map((write) => idOfKey(keyOf(write))))
  if (writes.length < 2 || writes.length > maxTransaction || keys.size !== writes.length)
    refuse(
      `a transaction has 2 to ${maxTransaction} writes of distinct keys; this one has ${writes.length} of ${keys.size}`,
    )
}

/** The value of an item as JSON. */
export const valueText = ({ type, value }: Item, most: number = maxValueBytes): string => {
  const json = JSON.stringify(value ?? null)
  const bytes = excess(json, most)
  if (bytes !== undefined)
    throw new PlatformError('TOO_LARGE', `a record of type ${type} has ${bytes} bytes; ${most} are possible`)
  return json
}
