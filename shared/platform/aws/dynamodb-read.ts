import { BatchGetItemCommand, type DynamoDBClient, QueryCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import type { Clock, Key, Page, Query, Random, Stored } from '../platform.ts'
import { PlatformError } from '../platform-error.ts'
import { translated } from './aws-error.ts'
import { type Attributes, liveItem, toKey } from './dynamodb-item.ts'

export type ReadContext = { client: DynamoDBClient; tableName: string; clock: Clock; random: Random }

const batchSize = 100
const idOf = ({ pk, sk }: Key): string => `${pk}\n${sk}`

/** Strongly consistent; keys that DynamoDB left unprocessed are asked for again. */
export const batchGet = async <V>(context: ReadContext, keys: Key[]): Promise<(Stored<V> | undefined)[]> => {
  const unique = [...new Map(keys.map((key) => [idOf(key), key])).values()]
  const found = new Map<string, Attributes>()
  const batches = Array.from({ length: Math.ceil(unique.length / batchSize) }, (_, at) =>
    unique.slice(at * batchSize, (at + 1) * batchSize),
  )
  await Promise.all(batches.map((batch) => getBatch(context, batch.map(toKey), found)))
  const now = context.clock.now()
  return keys.map((key) => liveItem<V>(found.get(idOf(key)), now))
}

const getBatch = async (context: ReadContext, keys: Attributes[], found: Map<string, Attributes>): Promise<void> => {
  const { client, tableName, clock, random } = context
  let left: Attributes[] = keys
  for (let round = 0; left.length > 0; round++) {
    const RequestItems = { [tableName]: { Keys: left, ConsistentRead: true } }
    const answer = await translated('a read', () => client.send(new BatchGetItemCommand({ RequestItems })))
    for (const item of answer.Responses?.[tableName] ?? [])
      found.set(idOf({ pk: item.pk?.S ?? '', sk: item.sk?.S ?? '' }), item)
    left = answer.UnprocessedKeys?.[tableName]?.Keys ?? []
    if (left.length > 0) await clock.sleep(random.number() * Math.min(50 * 2 ** round, 2000))
  }
}

const defaultLimit = 100
const maxLimit = 1000
/** Sorts after every character that keys are made of. */
const last = '\u{10ffff}'

const encodeCursor = (key: Attributes | undefined): string | undefined =>
  key &&
  Buffer.from(JSON.stringify(Object.fromEntries(Object.entries(key).map(([name, value]) => [name, value.S])))).toString(
    'base64url',
  )

const decodeCursor = (cursor: string | undefined, names: string[]): Attributes | undefined => {
  if (cursor === undefined) return undefined
  try {
    const key = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as Record<string, unknown>
    const right =
      Object.keys(key).length === names.length &&
      names.every((name) => typeof key[name] === 'string' && key[name] !== '')
    if (right) return Object.fromEntries(names.map((name) => [name, { S: String(key[name]) }]))
  } catch {
    // falls through to the refusal
  }
  throw new PlatformError('INVALID', 'the cursor is not one of this list')
}

type Range = { low?: string; high?: string }

/** DynamoDB takes one condition on a sort key; exclusive ends are taken out afterwards. */
const rangeOf = ({ after, before, prefix }: Query): Range => {
  const low = [after, prefix || undefined]
    .filter((one) => one !== undefined)
    .sort()
    .at(-1)
  const high = [before, prefix ? prefix + last : undefined].filter((one) => one !== undefined).sort()[0]
  return { ...(low && { low }), ...(high && { high }) }
}

const keyCondition = ({ low, high }: Range): string => {
  if (low !== undefined && high !== undefined) return '#pk = :pk AND #sk BETWEEN :low AND :high'
  if (low !== undefined) return '#pk = :pk AND #sk >= :low'
  return high === undefined ? '#pk = :pk' : '#pk = :pk AND #sk < :high'
}

const inRange = ({ after, before }: Query, sk: string): boolean =>
  (after === undefined || sk > after) && (before === undefined || sk < before)

/** One page; an index gives keys, the values come from the table and are current. */
export const queryPage = async <V>(context: ReadContext, query: Query): Promise<Page<V>> => {
  const { client, tableName, clock } = context
  const [pkName, skName] = query.index ? [`${query.index}_pk`, `${query.index}_sk`] : ['pk', 'sk']
  const range = rangeOf(query)
  if (range.low !== undefined && range.high !== undefined && range.low > range.high) return { items: [] }
  const start = decodeCursor(query.cursor, query.index ? ['pk', 'sk', pkName, skName] : ['pk', 'sk'])
  if (start && start[pkName]?.S !== query.pk) throw new PlatformError('INVALID', 'the cursor is not one of this list')
  const command = new QueryCommand({
    TableName: tableName,
    ...(query.index ? { IndexName: query.index } : { ConsistentRead: true }),
    KeyConditionExpression: keyCondition(range),
    ExpressionAttributeNames: { '#pk': pkName, ...((range.low ?? range.high) !== undefined && { '#sk': skName }) },
    ExpressionAttributeValues: {
      ':pk': { S: query.pk },
      ...(range.low !== undefined && { ':low': { S: range.low } }),
      ...(range.high !== undefined && { ':high': { S: range.high } }),
    },
    ScanIndexForward: query.order !== 'descending',
    Limit: Math.max(1, Math.min(query.limit ?? defaultLimit, maxLimit)),
    ExclusiveStartKey: start,
  })
  const answer = await translated('a query', () => client.send(command))
  const rows = (answer.Items ?? []).filter((row) => inRange(query, row[skName]?.S ?? ''))
  const items = query.index
    ? await hydrate<V>(context, rows, query)
    : rows.flatMap((row) => liveItem<V>(row, clock.now()) ?? [])
  const cursor = encodeCursor(answer.LastEvaluatedKey)
  return { items, ...(cursor !== undefined && { cursor }) }
}

/** Items that left the index since it was read are left out. */
const hydrate = async <V>(context: ReadContext, rows: Attributes[], { index, pk }: Query): Promise<Stored<V>[]> => {
  const items = await batchGet<V>(
    context,
    rows.map((row) => ({ pk: row.pk?.S ?? '', sk: row.sk?.S ?? '' })),
  )
  return items.filter(
    (item) => item !== undefined && index !== undefined && item.index?.[index]?.pk === pk,
  ) as Stored<V>[]
}

/** One page of one of `of` parts of the table. */
export const scanPage = async (
  { client, tableName, clock }: ReadContext,
  { segment, of, cursor, limit }: { segment: number; of: number; cursor?: string; limit?: number },
): Promise<Page> => {
  const command = new ScanCommand({
    TableName: tableName,
    Segment: segment,
    TotalSegments: of,
    ConsistentRead: true,
    ...(limit !== undefined && { Limit: limit }),
    ExclusiveStartKey: decodeCursor(cursor, ['pk', 'sk']),
  })
  const answer = await translated('a scan', () => client.send(command))
  const next = encodeCursor(answer.LastEvaluatedKey)
  return {
    items: (answer.Items ?? []).flatMap((row) => liveItem(row, clock.now()) ?? []),
    ...(next !== undefined && { cursor: next }),
  }
}
