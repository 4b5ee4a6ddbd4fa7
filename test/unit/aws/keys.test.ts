import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { mockClient } from 'aws-sdk-client-mock'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createDynamoTable } from '#shared/platform/aws/dynamodb-table.ts'
import type { Table } from '#shared/platform/platform.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { aKey, anItem, aPut } from '#test/support/items.ts'
import { sdkError } from './errors.ts'
import { aTiming } from './timing.ts'

const dynamo = mockClient(DynamoDBClient)
let embedded: Awaited<ReturnType<typeof aPlatform>>
beforeAll(async () => {
  embedded = await aPlatform()
})
afterEach(() => dynamo.reset())
afterAll(() => embedded.close())

const hosts: [string, () => Table][] = [
  ['on one machine', () => embedded.platform.main],
  [
    'on AWS',
    () => {
      dynamo.onAnyCommand().rejects(sdkError('ValidationException'))
      const client = new DynamoDBClient({ region: 'us-east-1' })
      return createDynamoTable({ tableName: 'main', client, ...aTiming() })
    },
  ],
]
const odd = [
  { pk: '', sk: 'head' },
  { pk: 'ü'.repeat(1025), sk: 'head' },
  { pk: 'half \ud800', sk: 'head' },
  { pk: 'acme#note#1', sk: 'x'.repeat(1025) },
]

describe.each(hosts)('a key that DynamoDB could not have, %s', (_, host) => {
  it.each(odd)('is INVALID for writers: %o', async (key) => {
    const table = host()
    const refused = { name: 'PlatformError', code: 'INVALID', retryable: false }
    const put = aPut(anItem(key))
    await expect(table.write(put)).rejects.toMatchObject(refused)
    await expect(table.write({ op: 'delete', key, expect: 'any' })).rejects.toMatchObject(refused)
    await expect(table.write(aPut(anItem({ index: { due: key } })))).rejects.toMatchObject(refused)
    await expect(table.transact([put, aPut(anItem())])).rejects.toMatchObject(refused)
    await expect(table.add(key, 1)).rejects.toMatchObject(refused)
  })

  it.each(odd)('is nobody for readers: %o', async (key) => {
    const table = host()
    expect(await table.get(key)).toBeUndefined()
    expect(await table.waitForChange(key, undefined, 0)).toBeUndefined()
    expect(await table.getMany([key])).toEqual([undefined])
  })

  it.each(odd.slice(0, 3))('is a partition without items: %o', async ({ pk }) => {
    expect(await host().query({ pk })).toEqual({ items: [] })
    expect(await host().query({ index: 'list', pk })).toEqual({ items: [] })
  })

  it('is never mistaken for one that is only long', async () => {
    const table = host()
    dynamo.onAnyCommand().resolves({})
    const key = { pk: `${aKey().pk}${'x'.repeat(1900)}`, sk: 'ü'.repeat(512) }
    expect(await table.write(aPut(anItem(key)))).toMatchObject({ ok: true })
  })
})
