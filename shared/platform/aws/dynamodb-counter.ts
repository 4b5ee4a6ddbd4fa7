import { ConditionalCheckFailedException, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import type { Key, Rev } from '../platform.ts'
import { type Attributes, isAlive, liveItem, toKey } from './dynamodb-item.ts'
import { sendWrite, type WriteContext, writeOne } from './dynamodb-write.ts'

type Bound = { min?: number; max?: number }

const fits = (value: number, { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY }: Bound): boolean =>
  value >= min && value <= max

/** An absent counter is 0, which may be out of bounds after the addition. */
const boundCondition = (by: number, bound: Bound): string[] => {
  const rows = [
    ...(bound.max === undefined ? [] : ['n <= :most']),
    ...(bound.min === undefined ? [] : ['n >= :least']),
  ].join(' AND ')
  if (rows === '') return []
  return [fits(by, bound) ? `(attribute_not_exists(n) OR (${rows}))` : `${rows}`]
}

const addition = (tableName: string, key: Key, { by, bound, rev, now }: Addition): UpdateItemCommand =>
  new UpdateItemCommand({
    TableName: tableName,
    Key: toKey(key),
    UpdateExpression: 'SET rev = :rev, #type = :type ADD n :by',
    ConditionExpression: ['(attribute_not_exists(rev) OR rev <> :rev)', isAlive, ...boundCondition(by, bound)].join(
      ' AND ',
    ),
    ExpressionAttributeNames: { '#type': 'type' },
    ExpressionAttributeValues: {
      ':rev': { S: rev },
      ':type': { S: 'counter' },
      ':by': { N: String(by) },
      ':now': { N: String(now) },
      ...(bound.max !== undefined && { ':most': { N: String(bound.max - by) } }),
      ...(bound.min !== undefined && { ':least': { N: String(bound.min - by) } }),
    },
    ReturnValues: 'UPDATED_NEW',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  })

type Addition = { by: number; bound: Bound; rev: Rev; now: number }

/**
 * Adds under a rev of its own: when the SDK repeats a call whose answer was lost, that rev is stored already, and the
 * counter is not moved twice.
 */
export const addTo = async (
  context: WriteContext,
  key: Key,
  by: number,
  bound: Bound = {},
): Promise<number | undefined> => {
  const { client, tableName, clock } = context
  const wanted = { by, bound, rev: context.mint(), now: clock.now() }
  try {
    const answer = await sendWrite(context, 'a count', () => client.send(addition(tableName, key, wanted)))
    return Number(answer.Attributes?.n?.N)
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error
    return refused(context, key, wanted, error.Item)
  }
}

/** Why a counter was not moved: it was already, it had expired and begins anew, or a bound is in the way. */
const refused = async (
  context: WriteContext,
  key: Key,
  { by, bound, rev, now }: Addition,
  found: Attributes | undefined,
): Promise<number | undefined> => {
  if (found?.rev?.S === rev) return Number(found.n?.N)
  if (found === undefined || liveItem(found, now) !== undefined || !fits(by, bound)) return undefined
  const item = { pk: key.pk, sk: key.sk, type: 'counter', value: by }
  const outcome = await writeOne(context, { op: 'put', item, expect: 'absent' })
  return outcome.ok ? by : addTo(context, key, by, bound)
}
