import { BatchGetItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { idOfKey } from '../id-of-key.ts'
import type { Clock, Key, Random, Stored } from '../platform.ts'
import { PlatformError } from '../platform-error.ts'
import { isKey } from '../write-rules.ts'
import { translated } from './aws-error.ts'
import { chunks, untilNoneIsLeft } from './back-off.ts'
import { type Attributes, liveItem, toKey } from './dynamodb-item.ts'

export type ReadContext = { client: DynamoDBClient; tableName: string; clock: Clock; random: Random }

const batchSize = 100
const keyIn = (attributes: Attributes): Key => ({ pk: attributes.pk?.S ?? '', sk: attributes.sk?.S ?? '' })

/** Strongly consistent, in the order of `keys`; keys that DynamoDB left unprocessed are asked for again. */
export const batchGet = async <V>(context: ReadContext, keys: Key[]): Promise<(Stored<V> | undefined)[]> => {
  const unique = [...new Map(keys.filter(isKey).map((key) => [idOfKey(key), toKey(key)])).values()]
  const found = new Map<string, Attributes>()
  await Promise.all(chunks(unique, batchSize).map((batch) => getAll(context, batch, found)))
  const now = context.clock.now()
  return keys.map((key) => liveItem<V>(found.get(idOfKey(key)), now))
}

const getAll = async (context: ReadContext, keys: Attributes[], found: Map<string, Attributes>): Promise<void> => {
  const left = await untilNoneIsLeft(context, keys, (wanted) => getSome(context, wanted, found))
  if (left.length > 0) throw new PlatformError('THROTTLED', `${left.length} of ${keys.length} keys were not read`)
}

const getSome = async (
  { client, tableName }: ReadContext,
  Keys: Attributes[],
  found: Map<string, Attributes>,
): Promise<Attributes[]> => {
  const command = new BatchGetItemCommand({ RequestItems: { [tableName]: { Keys, ConsistentRead: true } } })
  const answer = await translated('a read', () => client.send(command))
  for (const item of answer.Responses?.[tableName] ?? []) found.set(idOfKey(keyIn(item)), item)
  return answer.UnprocessedKeys?.[tableName]?.Keys ?? []
}
