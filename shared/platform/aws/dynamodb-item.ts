import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { type Item, indexNames, type Key, type Rev, type Stored } from '../platform.ts'
import { PlatformError } from '../platform-error.ts'

export type Attributes = Record<string, AttributeValue>

/** DynamoDB takes 400 KB an item; keys, names and index keys need some of it. */
const maxValueBytes = 390 * 1024

export const toKey = ({ pk, sk }: Key): Attributes => ({ pk: { S: pk }, sk: { S: sk } })

/**
 * The value is one string of JSON: DynamoDB's own maps stop at 32 levels, cost more bytes, and nothing here ever
 * asks DynamoDB about a field inside of a value.
 */
export const toAttributes = (item: Item, rev: Rev): Attributes => {
  const json = JSON.stringify(item.value ?? null)
  const size = Buffer.byteLength(json)
  if (size > maxValueBytes)
    throw new PlatformError('TOO_LARGE', `item ${item.pk} ${item.sk} has ${size} bytes; ${maxValueBytes} are possible`)
  return {
    ...toKey(item),
    type: { S: item.type },
    rev: { S: rev },
    v: { S: json },
    ...(item.expiresAt !== undefined && {
      expires_ms: { N: String(item.expiresAt) },
      expires: { N: String(Math.ceil(item.expiresAt / 1000)) },
    }),
    ...Object.assign({}, ...indexNames.map((name) => indexAttributes(name, item.index?.[name]))),
  }
}

const indexAttributes = (name: string, key: Key | undefined): Attributes =>
  key === undefined ? {} : { [`${name}_pk`]: { S: key.pk }, [`${name}_sk`]: { S: key.sk } }

const readIndex = (attributes: Attributes): Stored['index'] => {
  const found = indexNames.flatMap((name) => {
    const [pk, sk] = [attributes[`${name}_pk`]?.S, attributes[`${name}_sk`]?.S]
    return pk === undefined || sk === undefined ? [] : [[name, { pk, sk }] as const]
  })
  return found.length === 0 ? undefined : Object.fromEntries(found)
}

/** A counter keeps its number as one, so that it can be added to. */
const readValue = (attributes: Attributes): unknown =>
  attributes.n?.N === undefined ? JSON.parse(attributes.v?.S ?? 'null') : Number(attributes.n.N)

/** Attributes as the item they hold. */
export const toStored = <V>(attributes: Attributes): Stored<V> => {
  const index = readIndex(attributes)
  return {
    pk: attributes.pk?.S ?? '',
    sk: attributes.sk?.S ?? '',
    type: attributes.type?.S ?? '',
    rev: attributes.rev?.S ?? '',
    value: readValue(attributes) as V,
    ...(index && { index }),
    ...(attributes.expires_ms?.N !== undefined && { expiresAt: Number(attributes.expires_ms.N) }),
  }
}

/** The item, unless there is none or it has expired. */
export const liveItem = <V>(attributes: Attributes | undefined, now: number): Stored<V> | undefined => {
  if (attributes === undefined || attributes.pk === undefined) return undefined
  const expires = attributes.expires_ms?.N
  return expires !== undefined && Number(expires) <= now ? undefined : toStored<V>(attributes)
}
