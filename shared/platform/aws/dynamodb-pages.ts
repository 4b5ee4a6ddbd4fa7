import { QueryCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import type { Indexed, IndexName, Key, Page, Query, Stored } from '../platform.ts'
import { batchGet, type ReadContext } from './dynamodb-batch-get.ts'
import { badCursor, decodeCursor, encodeCursor, pageFrom } from './dynamodb-cursor.ts'
import { type Attributes, liveItem } from './dynamodb-item.ts'

const defaultLimit = 100
const maxLimit = 1000
/** Sorts after every character that keys are made of. */
const last = '\u{10ffff}'

const clamp = (limit = defaultLimit): number => Math.max(1, Math.min(limit, maxLimit))

/** DynamoDB sorts by the bytes of UTF-8, which is not how JavaScript compares. */
const compare = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

type Range = { low?: string; high?: string }

/** DynamoDB takes one condition on a sort key: a range with its ends, which are taken out afterwards. */
const rangeOf = ({ after, before, prefix = '' }: Query): Range => {
  const low = [after ?? '', prefix].sort(compare)[1]
  const highs = [...(before === undefined ? [] : [before]), ...(prefix === '' ? [] : [prefix + last])]
  return { low: low || undefined, high: highs.sort(compare)[0] }
}

const isEmpty = ({ low = '', high }: Range): boolean => high !== undefined && (high === '' || compare(low, high) > 0)

const isWithin = ({ after, before, prefix = '' }: Query, sk: string): boolean =>
  sk.startsWith(prefix) &&
  (after === undefined || compare(sk, after) > 0) &&
  (before === undefined || compare(sk, before) < 0)

const keyCondition = ({ low, high }: Range): string => {
  if (low !== undefined && high !== undefined) return '#pk = :pk AND #sk BETWEEN :low AND :high'
  if (low !== undefined) return '#pk = :pk AND #sk >= :low'
  return high === undefined ? '#pk = :pk' : '#pk = :pk AND #sk < :high'
}

const keyNames = ({ index }: Query): { pkName: string; skName: string } =>
  index === undefined ? { pkName: 'pk', skName: 'sk' } : { pkName: `${index}_pk`, skName: `${index}_sk` }

const startOf = (query: Query): Attributes | undefined => {
  const { pkName, skName } = keyNames(query)
  const start = decodeCursor(query.cursor, query.index ? ['pk', 'sk', pkName, skName] : ['pk', 'sk'])
  if (start && start[pkName]?.S !== query.pk) throw badCursor()
  return start
}

const toCommand = (TableName: string, query: Query, range: Range): QueryCommand => {
  const { pkName, skName } = keyNames(query)
  const { low, high } = range
  return new QueryCommand({
    TableName,
    ...(query.index ? { IndexName: query.index } : { ConsistentRead: true }),
    KeyConditionExpression: keyCondition(range),
    ExpressionAttributeNames: { '#pk': pkName, ...((low ?? high) !== undefined && { '#sk': skName }) },
    ExpressionAttributeValues: {
      ':pk': { S: query.pk },
      ...(low !== undefined && { ':low': { S: low } }),
      ...(high !== undefined && { ':high': { S: high } }),
    },
    ScanIndexForward: query.order !== 'descending',
    Limit: clamp(query.limit),
    ExclusiveStartKey: startOf(query),
  })
}

const toPage = <V>(items: Stored<V>[], end: Attributes | undefined): Page<V> => {
  const cursor = encodeCursor(end)
  return { items, ...(cursor !== undefined && { cursor }) }
}

type Rows = { rows: Attributes[]; end: Attributes | undefined }

const queryRows = async ({ client, tableName }: ReadContext, query: Query): Promise<Rows> => {
  const range = rangeOf(query)
  if (isEmpty(range)) return { rows: [], end: undefined }
  const command = toCommand(tableName, query, range)
  const answer = await pageFrom('a query', query.cursor, () => client.send(command))
  const { skName } = keyNames(query)
  const rows = (answer.Items ?? []).filter((row) => isWithin(query, row[skName]?.S ?? ''))
  return { rows, end: answer.LastEvaluatedKey }
}

const keyOf = (row: Attributes): Key => ({ pk: row.pk?.S ?? '', sk: row.sk?.S ?? '' })

/** One page; an index gives keys, the values come from the table and are current. */
export const queryPage = async <V>(context: ReadContext, query: Query): Promise<Page<V>> => {
  const { rows, end } = await queryRows(context, query)
  const items = query.index
    ? await hydrate<V>(context, rows, query.index)
    : rows.flatMap((row) => liveItem<V>(row, context.clock.now()) ?? [])
  return toPage(items, end)
}

/** One page of what an index itself holds: keys. */
export const queryKeys = async (
  context: ReadContext,
  query: Query & { index: IndexName },
): Promise<{ items: Indexed[]; cursor?: string }> => {
  const { rows, end } = await queryRows(context, query)
  const { skName } = keyNames(query)
  const cursor = encodeCursor(end)
  const items = rows.map((row) => ({ ...keyOf(row), place: row[skName]?.S ?? '' }))
  return { items, ...(cursor !== undefined && { cursor }) }
}

/** An item that has left its place in the index since is left out: it is found at its new place. */
const hydrate = async <V>(
  context: ReadContext,
  rows: Attributes[],
  index: NonNullable<Query['index']>,
): Promise<Stored<V>[]> => {
  const items = await batchGet<V>(context, rows.map(keyOf))
  return items.flatMap((item, at) => {
    const [place, row] = [item?.index?.[index], rows[at]]
    const isThere = place?.pk === row?.[`${index}_pk`]?.S && place?.sk === row?.[`${index}_sk`]?.S
    return item !== undefined && isThere ? [item] : []
  })
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
    Limit: clamp(limit),
    ExclusiveStartKey: decodeCursor(cursor, ['pk', 'sk']),
  })
  const answer = await pageFrom('a scan', cursor, () => client.send(command))
  const now = clock.now()
  return toPage(
    (answer.Items ?? []).flatMap((row) => liveItem(row, now) ?? []),
    answer.LastEvaluatedKey,
  )
}
