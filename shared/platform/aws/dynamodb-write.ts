import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb'
import type { Clock, Conflict, Expect, Key, Outcome, Random, Rev, Write } from '../platform.ts'
import { PlatformError } from '../platform-error.ts'
import { translated } from './aws-error.ts'
import { type Attributes, liveItem, toAttributes, toKey } from './dynamodb-item.ts'

export type WriteContext = { client: DynamoDBClient; tableName: string; clock: Clock; random: Random; mint: () => Rev }

type Condition = {
  ConditionExpression?: string
  ExpressionAttributeNames?: Record<string, string>
  ExpressionAttributeValues?: Attributes
}

const alive = '(attribute_not_exists(expires_ms) OR expires_ms > :now)'

/** A put is also right when its own rev is stored already: then it was done, and its answer was lost. */
const condition = (expect: Expect, now: number, own?: Rev): Condition => {
  if (expect === 'any') return {}
  const wanted = expect === 'absent' ? `attribute_not_exists(pk) OR NOT ${alive}` : `(rev = :expected AND ${alive})`
  return {
    ConditionExpression: own === undefined ? wanted : `${wanted} OR rev = :own`,
    ExpressionAttributeValues: {
      ':now': { N: String(now) },
      ...(expect !== 'absent' && { ':expected': { S: expect.rev } }),
      ...(own !== undefined && { ':own': { S: own } }),
    },
  }
}

const allOld = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const

/** One conditional put or delete; a conflict brings the current item at no extra read. */
export const writeOne = async (context: WriteContext, write: Write): Promise<Outcome> => {
  const { client, tableName: TableName, clock } = context
  const now = clock.now()
  if (write.op === 'check') return transactWrites(context, [write])
  const rev = write.op === 'put' ? (write.rev ?? context.mint()) : ''
  const command =
    write.op === 'put'
      ? new PutItemCommand({
          TableName,
          Item: toAttributes(write.item, rev),
          ...condition(write.expect, now, rev),
          ...allOld,
        })
      : new DeleteItemCommand({ TableName, Key: toKey(write.key), ...condition(write.expect, now), ...allOld })
  try {
    await translated('a write', () => client.send(command as PutItemCommand))
    return { ok: true, revs: [rev] }
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error
    return { ok: false, conflicts: [toConflict(0, error.Item, now)] }
  }
}

const toConflict = (at: number, item: Attributes | undefined, now: number): Conflict => {
  const current = liveItem(item, now)
  return { at, ...(current && { current }) }
}

const toTransactItem = (write: Write, rev: Rev, TableName: string, now: number): TransactWriteItem => {
  if (write.op === 'put')
    return { Put: { TableName, Item: toAttributes(write.item, rev), ...condition(write.expect, now, rev), ...allOld } }
  const common = { TableName, Key: toKey(write.key), ...condition(write.expect, now), ...allOld }
  if (write.op === 'delete') return { Delete: common }
  return {
    ConditionCheck: {
      ...common,
      ConditionExpression: common.ConditionExpression ?? 'attribute_exists(pk) OR attribute_not_exists(pk)',
    },
  }
}

const busy = new Set(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded'])
const tries = 8

/** All or nothing; somebody else's transaction on the same items is waited out. */
export const transactWrites = async (context: WriteContext, writes: Write[]): Promise<Outcome> => {
  const { client, tableName, clock, random } = context
  const revs = writes.map((write) => (write.op === 'put' ? (write.rev ?? context.mint()) : ''))
  for (let round = 0; ; round++) {
    const now = clock.now()
    const TransactItems = writes.map((write, at) => toTransactItem(write, revs[at] ?? '', tableName, now))
    try {
      await translated('a transaction', () => client.send(new TransactWriteItemsCommand({ TransactItems })))
      return { ok: true, revs }
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error
      const conflicts = conflictsOf(error, now)
      if (conflicts.length > 0) return { ok: false, conflicts }
      const passing = error.CancellationReasons?.some(({ Code = '' }) => busy.has(Code))
      if (!passing)
        throw new PlatformError('INVALID', `the transaction was refused: ${error.message}`, { cause: error })
      if (round >= tries)
        throw new PlatformError('THROTTLED', 'the items are busy with other transactions', { cause: error })
      await clock.sleep(random.number() * Math.min(20 * 2 ** round, 1000))
    }
  }
}

/** Reasons are positional. */
const conflictsOf = (error: TransactionCanceledException, now: number): Conflict[] =>
  (error.CancellationReasons ?? []).flatMap(({ Code, Item }, at) =>
    Code === 'ConditionalCheckFailed' ? [toConflict(at, Item, now)] : [],
  )

const maxTransaction = 25

/** 2–25 writes of distinct keys. */
export const checkTransaction = (writes: Write[]): void => {
  const keyOf = (write: Write): Key => (write.op === 'put' ? write.item : write.key)
  const keys = new Set(writes.map((write) => JSON.stringify([keyOf(write).pk, keyOf(write).sk])))
  if (writes.length < 2 || writes.length > maxTransaction || keys.size !== writes.length)
    throw new PlatformError(
      'INVALID',
      `a transaction has 2 to ${maxTransaction} writes of distinct keys; this one has ${writes.length} of ${keys.size}`,
    )
}
