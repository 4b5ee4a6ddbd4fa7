import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import type { Clock, Key, Random, Rev, Stored, Table } from '../platform.ts'
import { ulid } from '../ulid.ts'
import { translated } from './aws-error.ts'
import { liveItem, toKey } from './dynamodb-item.ts'
import { batchGet, queryPage, scanPage } from './dynamodb-read.ts'
import { checkTransaction, transactWrites, writeOne } from './dynamodb-write.ts'

type Options = { tableName: string; client?: DynamoDBClient; clock: Clock; random: Random }
type Bound = { min?: number; max?: number }

const firstWaitMs = 100
const mostWaitMs = 2000

/** A table in DynamoDB. */
export const createDynamoTable = ({ tableName, client = new DynamoDBClient({}), clock, random }: Options): Table => {
  const mint = (): Rev => ulid(clock.now(), (length) => random.bytes(length))
  const context = { client, tableName, clock, random, mint }

  const get = async <V>(key: Key): Promise<Stored<V> | undefined> => {
    const command = new GetItemCommand({ TableName: tableName, Key: toKey(key), ConsistentRead: true })
    return liveItem<V>((await translated('a read', () => client.send(command))).Item, clock.now())
  }
  /** Nothing tells a reader here: it looks again, at growing distances. */
  const waitForChange = async <V>(key: Key, than: Rev | undefined, ms: number): Promise<Stored<V> | undefined> => {
    const until = clock.now() + ms
    for (let wait = firstWaitMs; ; wait = Math.min(wait * 2, mostWaitMs)) {
      const current = await get<V>(key)
      const left = until - clock.now()
      if (current?.rev !== than || left <= 0) return current
      await clock.sleep(Math.min(wait, left))
    }
  }
  return {
    get,
    getMany: (keys) => batchGet(context, keys),
    write: (write) => writeOne(context, write),
    async transact(writes) {
      checkTransaction(writes)
      return transactWrites(context, writes)
    },
    query: (query) => queryPage(context, query),
    add: (key, by, bound) => addTo({ client, tableName, mint }, key, by, bound),
    waitForChange,
    scan: (part) => scanPage(context, part),
  }
}

const fits = (value: number, { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY }: Bound): boolean =>
  value >= min && value <= max

/** An absent counter is 0, which may already be out of bounds after the addition. */
const boundCondition = (by: number, bound: Bound): string | undefined => {
  const rows = [bound.max !== undefined && 'n <= :most', bound.min !== undefined && 'n >= :least']
    .filter(Boolean)
    .join(' AND ')
  if (rows === '') return undefined
  return fits(by, bound) ? `attribute_not_exists(n) OR (${rows})` : `attribute_exists(n) AND ${rows}`
}

const addTo = async (
  { client, tableName, mint }: { client: DynamoDBClient; tableName: string; mint: () => Rev },
  key: Key,
  by: number,
  bound: Bound = {},
): Promise<number | undefined> => {
  const ConditionExpression = boundCondition(by, bound)
  const command = new UpdateItemCommand({
    TableName: tableName,
    Key: toKey(key),
    UpdateExpression: 'SET rev = :rev, #type = :type ADD n :by',
    ...(ConditionExpression && { ConditionExpression }),
    ExpressionAttributeNames: { '#type': 'type' },
    ExpressionAttributeValues: {
      ':rev': { S: mint() },
      ':type': { S: 'counter' },
      ':by': { N: String(by) },
      ...(bound.max !== undefined && { ':most': { N: String(bound.max - by) } }),
      ...(bound.min !== undefined && { ':least': { N: String(bound.min - by) } }),
    },
    ReturnValues: 'UPDATED_NEW',
  })
  try {
    return Number((await translated('a count', () => client.send(command))).Attributes?.n?.N)
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined
    throw error
  }
}
