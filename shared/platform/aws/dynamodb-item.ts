import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { type Item, indexNames, type Key, type Rev, type Stored } from '../platform.ts'
import { valueText } from '../write-rules.ts'

export type Attributes = Record<string, AttributeValue>

const keyAttributes = ({ pk, sk }: Key, prefix = ''): Attributes => ({
  [`${prefix}pk`]: { S: pk },
  [`${prefix}sk`]: { S: sk },
})

export const toKey = (key: Key): Attributes => keyAttributes(key)

/** What DynamoDB's numbers can hold without loss: 38 digits, and exponents from -130 to 125. */
const isCountable = (value: unknown): value is number =>
  typeof value === 'number' && (value === 0 || (Math.abs(value) > 1e-100 && Math.abs(value) < 1e100))

/**
 * The value is one string of JSON: DynamoDB's own maps stop at 32 levels, cost more bytes, and nothing here ever
 * asks DynamoDB about a field inside of a value. A number alone is kept as one, so that it can be added to.
 */
const valueAttributes = (item: Item): Attributes =>
  isCountable(item.value) ? { n: { N: String(item.value) } } : { v: { S: valueText(item) } }

const readValue = (attributes: Attributes): unknown =>
  attributes.n?.N === undefined ? JSON.parse(attributes.v?.S ?? 'null') : Number(attributes.n.N)

/** DynamoDB deletes by whole seconds and at leisure; readers decide by `expires_ms`. */
const expiryAttributes = (expiresAt: number | undefined): Attributes =>
  expiresAt === undefined
    ? {}
    : { expires_ms: { N: String(expiresAt) }, expires: { N: String(Math.ceil(expiresAt / 1000)) } }

export const toAttributes = (item: Item, rev: Rev): Attributes => ({
  ...toKey(item),
  type: { S: item.type },
  rev: { S: rev },
  ...valueAttributes(item),
  ...expiryAttributes(item.expiresAt),
  ...Object.assign({}, ...indexNames.map((name) => item.index?.[name] && keyAttributes(item.index[name], `${name}_`))),
})

const readIndex = (attributes: Attributes): Stored['index'] => {
  const found = indexNames.flatMap((name) => {
    const [pk, sk] = [attributes[`${name}_pk`]?.S, attributes[`${name}_sk`]?.S]
    return pk === undefined || sk === undefined ? [] : [[name, { pk, sk }] as const]
  })
  return found.length === 0 ? undefined : Object.fromEntries(found)
}

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

/** Condition on a stored item: it has not expired at `:now`. It holds for an item that is not there. */
export const isAlive = '(attribute_not_exists(expires_ms) OR expires_ms > :now)'

/** The item, unless there is none or it has expired. */
export const liveItem = <V>(attributes: Attributes | undefined, now: number): Stored<V> | undefined => {
  if (attributes?.pk === undefined) return undefined
  const expires = attributes.expires_ms?.N
  return expires !== undefined && Number(expires) <= now ? undefined : toStored<V>(attributes)
}
