import type { Item, Key, Write } from './platform.ts'
import { PlatformError } from './platform-error.ts'

/** The most that a value may have as JSON: what DynamoDB can hold, so that nothing grows up that cannot move there. */
const maxValueBytes = 390 * 1024
const maxTransaction = 25
/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html */
const maxKeyBytes = { pk: 2048, sk: 1024 } as const

const refuse = (message: string): never => {
  throw new PlatformError('INVALID', message)
}

/** Keys have characters, not too many, and no halves of surrogate pairs, which no host stores as they are. */
const checkKey = (key: Key): void => {
  for (const part of ['pk', 'sk'] as const) {
    const text = key[part]
    if (text === '' || !text.isWellFormed()) refuse(`${part} is well-formed text; received ${JSON.stringify(text)}`)
    const limit = maxKeyBytes[part]
    if (text.length * 3 > limit && Buffer.byteLength(text) > limit)
      refuse(`${part} has at most ${limit} bytes; received ${Buffer.byteLength(text)}`)
  }
}

/** The key that a write is about. */
export const keyOf = (write: Write): Key => (write.op === 'put' ? write.item : write.key)

/** Refuses a write that some host could not do. */
export const checkWrite = (write: Write): void => {
  checkKey(keyOf(write))
  if (write.op === 'put') for (const key of Object.values(write.item.index ?? {})) checkKey(key)
}

/** 2–25 writes of distinct keys. */
export const checkTransaction = (writes: Write[]): void => {
  for (const write of writes) checkWrite(write)
  const keys = new Set(writes.map((write) => JSON.stringify([keyOf(write).pk, keyOf(write).sk])))
  if (writes.length < 2 || writes.length > maxTransaction || keys.size !== writes.length)
    refuse(
      `a transaction has 2 to ${maxTransaction} writes of distinct keys; this one has ${writes.length} of ${keys.size}`,
    )
}

/** The value of an item as JSON. */
export const valueText = ({ pk, sk, value }: Item): string => {
  const json = JSON.stringify(value ?? null)
  if (json.length * 3 > maxValueBytes && Buffer.byteLength(json) > maxValueBytes)
    throw new PlatformError(
      'TOO_LARGE',
      `item ${pk} ${sk} has ${Buffer.byteLength(json)} bytes; ${maxValueBytes} are possible`,
    )
  return json
}
