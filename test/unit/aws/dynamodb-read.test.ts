import {
  BatchGetItemCommand,
  DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { mockClient } from 'aws-sdk-client-mock'
import { afterEach, describe, expect, it } from 'vitest'
import { encodeCursor } from '#shared/platform/aws/dynamodb-cursor.ts'
import { toAttributes, toKey } from '#shared/platform/aws/dynamodb-item.ts'
import { createDynamoTable } from '#shared/platform/aws/dynamodb-table.ts'
import type { Item } from '#shared/platform/platform.ts'
import { aKey, anItem, keyOf } from '#test/support/items.ts'
import { conditionFailed, sdkError } from './errors.ts'
import { aTiming } from './timing.ts'

const dynamo = mockClient(DynamoDBClient)
afterEach(() => dynamo.reset())

const aTable = () => {
  const timing = aTiming()
  const client = new DynamoDBClient({ region: 'us-east-1' })
  return { ...timing, table: createDynamoTable({ tableName: 'main', client, ...timing }) }
}

const answer = (items: Item[], left: Item[] = []) => ({
  Responses: { main: items.map((item) => toAttributes(item, 'R')) },
  ...(left.length > 0 && { UnprocessedKeys: { main: { Keys: left.map(toKey) } } }),
})

describe('reading many', () => {
  it('asks again for the keys that were left unprocessed, and for those alone', async () => {
    const items = [anItem(), anItem(), anItem()]
    const [one, two, three] = items as [Item, Item, Item]
    dynamo
      .on(BatchGetItemCommand)
      .resolvesOnce(answer([three], [one, two]))
      .resolvesOnce(answer([one], [two]))
      .resolves(answer([two]))
    const { table, slept } = aTable()
    expect(await table.getMany(items.map(keyOf))).toEqual(items.map((item) => ({ ...item, rev: 'R' })))
    const asked = dynamo.commandCalls(BatchGetItemCommand).map(({ args }) => args[0].input.RequestItems?.main?.Keys)
    expect(asked).toEqual([items.map(toKey), [one, two].map(toKey), [two].map(toKey)])
    expect(slept).toEqual([12.5, 25])
  })

  it('is THROTTLED when keys stay unprocessed', async () => {
    const item = anItem()
    dynamo.on(BatchGetItemCommand).resolves(answer([], [item]))
    await expect(aTable().table.getMany([keyOf(item)])).rejects.toMatchObject({ code: 'THROTTLED' })
  })

  it('asks for a hundred keys at a time, each key once, consistently', async () => {
    dynamo.on(BatchGetItemCommand).resolves(answer([]))
    const keys = Array.from({ length: 250 }, () => aKey())
    expect(await aTable().table.getMany([...keys, ...keys])).toHaveLength(500)
    const asked = dynamo.commandCalls(BatchGetItemCommand).map(({ args }) => args[0].input.RequestItems?.main)
    expect(asked.map((one) => one?.Keys?.length)).toEqual([100, 100, 50])
    expect(asked.every((one) => one?.ConsistentRead)).toBe(true)
  })
})

describe('pages', () => {
  it('treat what DynamoDB refuses under a cursor as a bad cursor', async () => {
    const key = aKey()
    const cursor = encodeCursor(toKey(key))
    dynamo.on(QueryCommand).rejects(sdkError('ValidationException'))
    dynamo.on(ScanCommand).rejects(sdkError('ValidationException'))
    const { table } = aTable()
    await expect(table.query({ pk: key.pk, cursor })).rejects.toMatchObject({ code: 'INVALID' })
    await expect(table.scan({ segment: 0, of: 2, cursor })).rejects.toMatchObject({ code: 'INVALID' })
    await expect(table.query({ pk: key.pk })).rejects.toMatchObject({ name: 'ValidationException' })
  })

  it('leave out what has moved in the index since it was read', async () => {
    const place = { pk: 'acme#due', sk: '5' }
    const [stays, moved, left] = [place, { ...place, sk: '9' }, undefined].map((due) => anItem({ index: { due } }))
    const all = [stays, moved, left] as Item[]
    dynamo
      .on(QueryCommand)
      .resolves({ Items: all.map((item) => ({ ...toKey(item), due_pk: { S: place.pk }, due_sk: { S: '5' } })) })
    dynamo.on(BatchGetItemCommand).resolves(answer(all))
    const { items } = await aTable().table.query({ index: 'due', pk: place.pk })
    expect(items).toEqual([{ ...stays, rev: 'R' }])
  })

  it('are THROTTLED or UNAVAILABLE when DynamoDB is', async () => {
    dynamo.on(QueryCommand).rejects(sdkError('ThrottlingException'))
    await expect(aTable().table.query({ pk: 'x' })).rejects.toMatchObject({ code: 'THROTTLED' })
    dynamo.on(ScanCommand).rejects(sdkError('InternalServerError', { status: 500 }))
    await expect(aTable().table.scan({ segment: 0, of: 1 })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})

describe('waiting for a change', () => {
  it('looks again at growing distances, until the time is over', async () => {
    const item = anItem()
    dynamo.on(GetItemCommand).resolves({ Item: toAttributes(item, 'R') })
    const { table, slept } = aTable()
    expect(await table.waitForChange(item, 'R', 8000)).toEqual({ ...item, rev: 'R' })
    expect(slept).toEqual([200, 400, 800, 1600, 1600, 1600, 1600, 200])
  })

  it('ends with the first look that finds another rev', async () => {
    const item = anItem()
    dynamo
      .on(GetItemCommand)
      .resolvesOnce({ Item: toAttributes(item, 'R') })
      .resolves({ Item: toAttributes(item, 'S') })
    const { table, slept } = aTable()
    expect(await table.waitForChange(item, 'R', 8000)).toEqual({ ...item, rev: 'S' })
    expect(slept).toEqual([200])
  })
})

describe('a counter', () => {
  it('is not moved twice when the answer to its first move was lost', async () => {
    const key = aKey()
    dynamo.on(UpdateItemCommand).callsFake(({ ExpressionAttributeValues: values }) => {
      throw conditionFailed({ item: { ...key, type: 'counter', value: 7 }, rev: values[':rev'].S })
    })
    expect(await aTable().table.add(key, 2, { max: 10 })).toBe(7)
    expect(dynamo.commandCalls(UpdateItemCommand)[0]?.args[0].input.ConditionExpression).toContain('rev <> :rev')
  })

  it('comes after a transaction that holds it', async () => {
    dynamo
      .on(UpdateItemCommand)
      .rejectsOnce(sdkError('TransactionConflictException'))
      .resolves({ Attributes: { n: { N: '3' } } })
    expect(await aTable().table.add(aKey(), 1)).toBe(3)
  })

  it('keeps numbers that no counter of DynamoDB could hold as text', () => {
    for (const value of [1e300, 1e-200, Number.MAX_VALUE])
      expect(toAttributes(anItem({ value }), 'R')).toMatchObject({ v: { S: JSON.stringify(value) } })
    for (const value of [0, -1.5, 1e21])
      expect(toAttributes(anItem({ value }), 'R')).toMatchObject({ n: { N: String(value) } })
  })
})
