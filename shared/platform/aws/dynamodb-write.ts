import {
  type CancellationReason,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb'
import type { Add, Clock, Conflict, Expect, Outcome, Random, Rev, Write } from '../platform.ts'
import { PlatformError } from '../platform-error.ts'
import { isNamed, translated } from './aws-error.ts'
import { patiently } from './back-off.ts'
import { additionOf, fits, newCounter } from './dynamodb-addition.ts'
import { type Attributes, isAlive, liveItem, toAttributes, toKey } from './dynamodb-item.ts'

export type WriteContext = { client: DynamoDBClient; tableName: string; clock: Clock; random: Random; mint: () => Rev }

type Condition = { ConditionExpression?: string; ExpressionAttributeValues?: Attributes }

const condition = (expect: Expect, now: number): Condition => {
  if (expect === 'any') return {}
  const time = { ':now': { N: String(now) } }
  return expect === 'absent'
    ? { ConditionExpression: `attribute_not_exists(pk) OR NOT ${isAlive}`, ExpressionAttributeValues: time }
    : {
        ConditionExpression: `rev = :expected AND ${isAlive}`,
        ExpressionAttributeValues: { ...time, ':expected': { S: expect.rev } },
      }
}

const allOld = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const

/** A write may also meet a transaction of somebody else on its item; it comes after it then. */
const isBusyItem = (error: unknown): boolean => isNamed(error, 'TransactionConflictException')

/** Repeats a write while another transaction holds its item. */
export const sendWrite = <T>(context: WriteContext, what: string, send: () => Promise<T>): Promise<T> =>
  patiently(context, { what, isBusy: isBusyItem }, () => translated(what, send))

/** One conditional put or delete; a conflict brings the current item at no extra read. */
export const writeOne = async (context: WriteContext, write: Write): Promise<Outcome> => {
  if (write.op === 'check') return transactWrites(context, [write])
  const now = context.clock.now()
  const rev = write.op === 'put' ? (write.rev ?? context.mint()) : ''
  try {
    await sendWrite(context, 'a write', () => sendOne(context, write, rev, now))
    return { ok: true, revs: [rev] }
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error
    return wrote(rev, error.Item)
      ? { ok: true, revs: [rev] }
      : { ok: false, conflicts: [toConflict(0, error.Item, now)] }
  }
}

const sendOne = (
  { client, tableName: TableName }: WriteContext,
  write: Exclude<Write, { op: 'check' }>,
  rev: Rev,
  now: number,
): Promise<unknown> => {
  const common = { TableName, ...condition(write.expect, now), ...allOld }
  return write.op === 'put'
    ? client.send(new PutItemCommand({ ...common, Item: toAttributes(write.item, rev) }))
    : client.send(new DeleteItemCommand({ ...common, Key: toKey(write.key) }))
}

/** What is in the way is this very write: it was done before, and its answer was lost. */
const wrote = (rev: Rev, item: Attributes | undefined): boolean => rev !== '' && item?.rev?.S === rev

const toConflict = (at: number, item: Attributes | undefined, now: number): Conflict => {
  const current = liveItem(item, now)
  return { at, ...(current && { current }) }
}

const toTransactItem = (write: Write | Add, rev: Rev, TableName: string, now: number): TransactWriteItem => {
  if (write.op === 'add') return { Update: { TableName, ...additionOf(write, { rev, now }) } }
  const common = { TableName, ...condition(write.expect, now), ...allOld }
  if (write.op === 'put') return { Put: { ...common, Item: toAttributes(write.item, rev) } }
  const keyed = { ...common, Key: toKey(write.key) }
  if (write.op === 'delete') return { Delete: keyed }
  const always = 'attribute_exists(pk) OR attribute_not_exists(pk)'
  return { ConditionCheck: { ...keyed, ConditionExpression: keyed.ConditionExpression ?? always } }
}

const reasonsOf = (error: unknown): CancellationReason[] =>
  error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : []

const isConflict = ({ Code }: CancellationReason): boolean => Code === 'ConditionalCheckFailed'

const busyCodes = ['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded']

const isBusyTransaction = (error: unknown): boolean => {
  const reasons = reasonsOf(error)
  return !reasons.some(isConflict) && reasons.some(({ Code = '' }) => busyCodes.includes(Code))
}

/** All or nothing; somebody else's transaction on the same items is waited out. */
export const transactWrites = async (context: WriteContext, writes: (Write | Add)[]): Promise<Outcome> => {
  const { client, tableName } = context
  const now = context.clock.now()
  const revs = writes.map((write) => revFor(context, write))
  const TransactItems = writes.map((write, at) => toTransactItem(write, revs[at] ?? '', tableName, now))
  checkSize(TransactItems)
  try {
    await patiently(context, { what: 'a transaction', isBusy: isBusyTransaction }, () =>
      translated('a transaction', () => client.send(new TransactWriteItemsCommand({ TransactItems }))),
    )
    return { ok: true, revs }
  } catch (error) {
    const reasons = reasonsOf(error)
    if (!reasons.some(isConflict)) throw refusal(error)
    if (await wasDone(context, writes, revs, reasons)) return { ok: true, revs }
    const anew = writes.map((write, at) => begunAnew(write, reasons[at], now))
    const begun = anew.some((write, at) => write !== writes[at]) && (await transactWrites(context, anew))
    return begun || { ok: false, conflicts: toConflicts(reasons, now) }
  }
}

const revFor = ({ mint }: WriteContext, write: Write | Add): Rev => {
  if (write.op === 'put') return write.rev ?? mint()
  return write.op === 'add' ? mint() : ''
}

/** A counter that had expired begins at 0: it is put, and not added to. */
const begunAnew = (write: Write | Add, reason: CancellationReason | undefined, now: number): Write | Add => {
  const isOver = reason?.Item !== undefined && liveItem(reason.Item, now) === undefined
  if (write.op !== 'add' || !isOver || !fits(write.by, write.bound)) return write
  return newCounter(write.key, write.by)
}

/** Reasons are positional. */
const toConflicts = (reasons: CancellationReason[], now: number): Conflict[] =>
  reasons.flatMap((reason, at) => (isConflict(reason) ? [toConflict(at, reason.Item, now)] : []))

/**
 * Whether this very transaction was done before and its answer was lost: one of its revs is stored, and it is all or
 * nothing. Puts under a condition tell it by what is in their way; puts without one have to be read.
 */
const wasDone = async (context: WriteContext, writes: (Write | Add)[], revs: Rev[], reasons: CancellationReason[]) => {
  if (revs.some((rev, at) => wrote(rev, reasons[at]?.Item))) return true
  const puts = writes.flatMap((write, at) => (write.op === 'put' ? [{ ...write, rev: revs[at] ?? '' }] : []))
  const [first] = puts
  if (first === undefined || puts.some(({ expect }) => expect !== 'any')) return false
  const { client, tableName: TableName } = context
  const command = new GetItemCommand({ TableName, Key: toKey(first.item), ConsistentRead: true })
  return wrote(first.rev, (await translated('a read', () => client.send(command))).Item)
}

const refusal = (error: unknown): unknown =>
  error instanceof TransactionCanceledException
    ? new PlatformError('INVALID', `the transaction was refused: ${error.message}`, { cause: error })
    : error

/** DynamoDB takes 4 MB a transaction; keys and names need some of it. */
const maxTransactionBytes = 4 * 1024 * 1024 - 128 * 1024

const checkSize = (items: TransactWriteItem[]): void => {
  const size = items.reduce((sum, { Put }) => sum + Buffer.byteLength(Put?.Item?.v?.S ?? ''), 0)
  if (size > maxTransactionBytes)
    throw new PlatformError('TOO_LARGE', `the transaction has ${size} bytes; ${maxTransactionBytes} are possible`)
}
