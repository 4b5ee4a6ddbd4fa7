import {
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb'
import { mockClient } from 'aws-sdk-client-mock'
import { afterEach, describe, expect, it } from 'vitest'
import { toAttributes } from '#shared/platform/aws/dynamodb-item.ts'
import { createDynamoTable } from '#shared/platform/aws/dynamodb-table.ts'
import type { Item, Key, Write } from '#shared/platform/platform.ts'
import { aKey, anItem, aPut, aUlid, keyOf } from '#test/support/items.ts'
import { cancelled, conditionFailed, failedReason, none, sdkError } from './errors.ts'
import { aTiming } from './timing.ts'

const dynamo = mockClient(DynamoDBClient)
afterEach(() => dynamo.reset())

const aTable = () => {
  const timing = aTiming()
  const client = new DynamoDBClient({ region: 'us-east-1' })
  return { ...timing, table: createDynamoTable({ tableName: 'main', client, ...timing }) }
}

describe('one write', () => {
  it('is ok when its answer was lost and its own rev is what stands in its way', async () => {
    const [item, rev] = [anItem(), aUlid()]
    dynamo.on(PutItemCommand).rejects(conditionFailed({ item, rev }))
    expect(await aTable().table.write(aPut(item, 'absent', rev))).toEqual({ ok: true, revs: [rev] })
  })

  it('is a conflict with what another one left there', async () => {
    const [item, rev] = [anItem(), aUlid()]
    dynamo.on(PutItemCommand).rejects(conditionFailed({ item, rev }))
    const outcome = await aTable().table.write(aPut(item, 'absent', aUlid()))
    expect(outcome).toEqual({ ok: false, conflicts: [{ at: 0, current: { ...item, rev } }] })
    expect(dynamo.commandCalls(GetItemCommand)).toEqual([])
  })

  it('comes after the transaction of somebody else that holds its item', async () => {
    const { table, slept } = aTable()
    const busy = sdkError('TransactionConflictException')
    dynamo.on(PutItemCommand).rejectsOnce(busy).rejectsOnce(busy).resolves({})
    expect(await table.write(aPut(anItem(), 'absent'))).toMatchObject({ ok: true })
    expect(slept).toEqual([12.5, 25])
  })

  it('is THROTTLED when that transaction does not end', async () => {
    const { table, slept } = aTable()
    dynamo.on(DeleteItemCommand).rejects(sdkError('TransactionConflictException'))
    const write = table.write({ op: 'delete', key: keyOf(anItem()), expect: 'any' })
    await expect(write).rejects.toMatchObject({ code: 'THROTTLED', retryable: true })
    expect(slept.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(3000)
  })

  it.each([
    ['ProvisionedThroughputExceededException', 400, 'THROTTLED'],
    ['ThrottlingException', 400, 'THROTTLED'],
    ['RequestLimitExceeded', 400, 'THROTTLED'],
    ['TransactionInProgressException', 400, 'THROTTLED'],
    ['SomethingNew', 429, 'THROTTLED'],
    ['InternalServerError', 500, 'UNAVAILABLE'],
    ['ServiceUnavailable', 503, 'UNAVAILABLE'],
    ['SomethingWorse', 599, 'UNAVAILABLE'],
    ['TimeoutError', 0, 'UNAVAILABLE'],
  ])('fails with %s (%d) as %s', async (name, status, code) => {
    dynamo.on(PutItemCommand).rejects(sdkError(name, { status }))
    await expect(aTable().table.write(aPut(anItem()))).rejects.toMatchObject({ name: 'PlatformError', code })
  })

  it('is UNAVAILABLE when the connection breaks', async () => {
    for (const code of ['ECONNRESET', 'ECONNREFUSED', 'ENOTFOUND', 'EPIPE']) {
      dynamo.on(PutItemCommand).rejects(Object.assign(new Error('socket'), { code }))
      await expect(aTable().table.write(aPut(anItem()))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    }
  })

  it('shows a mistake as what it is, so that nobody repeats it', async () => {
    for (const name of ['AccessDeniedException', 'ResourceNotFoundException', 'ValidationException']) {
      dynamo.on(PutItemCommand).rejects(sdkError(name))
      await expect(aTable().table.write(aPut(anItem()))).rejects.toMatchObject({ name })
    }
    dynamo.on(PutItemCommand).rejects(new TypeError('a bug'))
    await expect(aTable().table.write(aPut(anItem()))).rejects.toThrow(TypeError)
  })
})

describe('a transaction', () => {
  const items: Item[] = [anItem(), anItem(), anItem(), anItem()]
  const revs = items.map(() => aUlid())
  const writes: Write[] = [
    aPut(items[0] as Item, 'absent', revs[0]),
    aPut(items[1] as Item, { rev: aUlid() }, revs[1]),
    { op: 'check', key: keyOf(items[2] as Item), expect: 'absent' },
    { op: 'delete', key: keyOf(items[3] as Item), expect: { rev: aUlid() } },
  ]
  const reasonsWith = (at: number, reason: ReturnType<typeof failedReason>) =>
    writes.map((_, position) => (position === at ? reason : none))

  it.each([0, 1, 2, 3])('tells a conflict at position %d, with what is there', async (at) => {
    const [item, rev] = [items[at] as Item, aUlid()]
    dynamo.on(TransactWriteItemsCommand).rejects(cancelled(...reasonsWith(at, failedReason({ item, rev }))))
    const { table, slept } = aTable()
    expect(await table.transact(writes)).toEqual({ ok: false, conflicts: [{ at, current: { ...item, rev } }] })
    expect(slept).toEqual([])
  })

  it('tells every conflict, and nothing of positions that were right', async () => {
    const reasons = [failedReason(), none, failedReason({ item: items[2] as Item, rev: 'R' }), none]
    dynamo.on(TransactWriteItemsCommand).rejects(cancelled(...reasons))
    expect(await aTable().table.transact(writes)).toEqual({
      ok: false,
      conflicts: [{ at: 0 }, { at: 2, current: { ...items[2], rev: 'R' } }],
    })
  })

  it.each(
    ['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded'].flatMap((Code) =>
      writes.map((_, at) => [Code, at] as const),
    ),
  )('is tried again after %s at position %d', async (Code, at) => {
    const busy = cancelled(...reasonsWith(at, { Code }))
    dynamo.on(TransactWriteItemsCommand).rejectsOnce(busy).rejectsOnce(busy).resolves({})
    const { table, slept } = aTable()
    expect(await table.transact(writes)).toEqual({ ok: true, revs: [revs[0], revs[1], '', ''] })
    expect(slept).toEqual([12.5, 25])
  })

  it('is THROTTLED when others never let go, after a bounded wait', async () => {
    dynamo.on(TransactWriteItemsCommand).rejects(cancelled({ Code: 'TransactionConflict' }, none, none, none))
    const { table, slept } = aTable()
    await expect(table.transact(writes)).rejects.toMatchObject({ code: 'THROTTLED', retryable: true })
    expect(slept).toEqual([12.5, 25, 50, 100, 200, 400, 500, 500])
  })

  it('is not repeated when an expectation failed beside a busy item', async () => {
    const reasons = [{ Code: 'TransactionConflict' }, failedReason(), none, none]
    dynamo.on(TransactWriteItemsCommand).rejects(cancelled(...reasons))
    expect(await aTable().table.transact(writes)).toEqual({ ok: false, conflicts: [{ at: 1 }] })
    expect(dynamo.commandCalls(TransactWriteItemsCommand)).toHaveLength(1)
  })

  it.each([0, 1])('is ok when its answer was lost: its own rev stands at position %d', async (at) => {
    const own = failedReason({ item: items[at] as Item, rev: revs[at] ?? '' })
    const reasons = reasonsWith(at, own).with(3, failedReason())
    dynamo.on(TransactWriteItemsCommand).rejects(cancelled(...reasons))
    expect(await aTable().table.transact(writes)).toEqual({ ok: true, revs: [revs[0], revs[1], '', ''] })
  })

  it('reads whether it was done when its puts had no condition that could tell', async () => {
    const [item, rev, gone] = [anItem(), aUlid(), anItem()]
    const unconditional: Write[] = [
      { op: 'delete', key: keyOf(gone), expect: { rev: aUlid() } },
      aPut(item, 'any', rev),
    ]
    dynamo.on(TransactWriteItemsCommand).rejects(cancelled(failedReason(), none))
    dynamo.on(GetItemCommand).resolves({ Item: toAttributes(item, rev) })
    expect(await aTable().table.transact(unconditional)).toEqual({ ok: true, revs: ['', rev] })
    dynamo.on(GetItemCommand).resolves({ Item: toAttributes(item, aUlid()) })
    expect(await aTable().table.transact(unconditional)).toEqual({ ok: false, conflicts: [{ at: 0 }] })
  })

  it('waits for others of this process that move the same counter, whatever became of them, and for no others', async () => {
    const { table } = aTable()
    let [under, most, sent] = [0, 0, 0]
    dynamo.on(TransactWriteItemsCommand).callsFake(async () => {
      most = Math.max(most, ++under)
      await new Promise((resolve) => setTimeout(resolve, 5))
      under--
      if (++sent === 2) throw sdkError('ValidationException')
      return {}
    })
    const count = (key: Key) => table.transact([aPut(anItem()), { op: 'add', key, by: 1 }])
    const hot = aKey('counter')
    const outcomes = await Promise.allSettled([hot, hot, hot, hot].map(count))
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
    expect(most).toBe(1)
    await Promise.all([aKey('counter'), aKey('counter'), aKey('counter')].map(count))
    expect(most).toBe(3)
  })

  it('is INVALID when DynamoDB refuses it for good', async () => {
    dynamo.on(TransactWriteItemsCommand).rejects(cancelled({ Code: 'ValidationError' }, none, none, none))
    await expect(aTable().table.transact(writes)).rejects.toMatchObject({ code: 'INVALID', retryable: false })
  })

  it('is UNAVAILABLE when it timed out, and not sent at all when it is too large', async () => {
    dynamo.on(TransactWriteItemsCommand).rejects(sdkError('TimeoutError'))
    await expect(aTable().table.transact(writes)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    dynamo.resetHistory()
    const large = Array.from({ length: 12 }, () => aPut(anItem({ value: 'x'.repeat(380_000) })))
    await expect(aTable().table.transact(large)).rejects.toMatchObject({ code: 'TOO_LARGE' })
    expect(dynamo.calls()).toEqual([])
  })
})
