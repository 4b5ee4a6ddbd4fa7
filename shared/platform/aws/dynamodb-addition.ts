import type { Update } from '@aws-sdk/client-dynamodb'
import type { Add, Bound, Key, Put, Rev } from '../platform.ts'
import { isAlive, toKey } from './dynamodb-item.ts'

/** Whether a counter may be so. */
export const fits = (
  value: number,
  { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY }: Bound = {},
): boolean => value >= min && value <= max

/** An absent counter is 0, which may be out of bounds after the addition. */
const boundCondition = (by: number, bound: Bound): string[] => {
  const rows = [
    ...(bound.max === undefined ? [] : ['n <= :most']),
    ...(bound.min === undefined ? [] : ['n >= :least']),
  ].join(' AND ')
  if (rows === '') return []
  return [fits(by, bound) ? `(attribute_not_exists(n) OR (${rows}))` : `${rows}`]
}

/** A counter that begins with what is added to it. */
export const newCounter = ({ pk, sk }: Key, value: number): Put => ({
  op: 'put',
  item: { pk, sk, type: 'counter', value },
  expect: 'absent',
})

/** Who adds: `rev` is its own, so that what was done is not done again. */
export type Addition = { rev: Rev; now: number }

/** Moves a live counter, once under a rev, as far as its bounds allow. */
export const additionOf = ({ key, by, bound = {} }: Add, { rev, now }: Addition) =>
  ({
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
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  }) satisfies Omit<Update, 'TableName'>
