import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDynamoTable } from '#shared/platform/aws/dynamodb-table.ts'
import { createTableInput } from '#shared/platform/aws/table-definition.ts'
import type { Table } from '#shared/platform/platform.ts'
import { createSystemClock, createSystemRandom } from '#shared/platform/system.ts'
import { dynoxideBinary, noDynoxide, startDynoxide, type TestServer } from '#test/support/dynoxide.ts'
import { aKey, anItem, aPut, aUlid, keyOf, stored } from '#test/support/items.ts'
import { type LosingProxy, startLosingProxy } from '#test/support/losing-proxy.ts'

if (dynoxideBinary() === undefined) console.info(`cannot: answers of DynamoDB that are lost: ${noDynoxide}`)

/** The SDK repeats a call whose answer it did not get; that the call was done by then must not be seen. */
describe.skipIf(dynoxideBinary() === undefined)('answers of DynamoDB that are lost', () => {
  let server: TestServer
  let proxy: LosingProxy
  let table: Table
  beforeAll(async () => {
    server = await startDynoxide()
    proxy = await startLosingProxy(server.endpoint)
    const client = new DynamoDBClient({
      endpoint: proxy.endpoint,
      region: 'us-east-1',
      maxAttempts: 3,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    })
    await client.send(new CreateTableCommand(createTableInput('main', { stream: false })))
    table = createDynamoTable({ tableName: 'main', client, clock: createSystemClock(), random: createSystemRandom() })
  })
  afterAll(async () => {
    await proxy.stop()
    await server.stop()
  })

  it('do not make a put a conflict with itself', async () => {
    const item = anItem({ value: 1 })
    proxy.lose('PutItem')
    const first = await table.write(aPut(item))
    expect(first).toMatchObject({ ok: true })
    const rev = (await table.get(item))?.rev ?? ''
    proxy.lose('PutItem', 'PutItem')
    expect(await table.write(aPut({ ...item, value: 2 }, { rev }))).toMatchObject({ ok: true })
    expect((await table.get(item))?.value).toBe(2)
  })

  it('do not hide that another one was there first', async () => {
    const item = await stored(table, anItem({ value: 'theirs' }))
    proxy.lose('PutItem')
    expect(await table.write(aPut(anItem({ ...keyOf(item), value: 'ours' })))).toEqual({
      ok: false,
      conflicts: [{ at: 0, current: item }],
    })
  })

  it('do not make a transaction a conflict with itself, within a call or across calls', async () => {
    const [fresh, gone] = [anItem(), await stored(table, anItem())]
    const writes = [
      aPut(fresh, 'absent', aUlid()),
      { op: 'delete', key: keyOf(gone), expect: { rev: gone.rev } } as const,
    ]
    proxy.lose('TransactWriteItems')
    expect(await table.transact(writes)).toMatchObject({ ok: true })
    expect(await table.transact(writes)).toMatchObject({ ok: true })
    expect(await table.get(gone)).toBeUndefined()
  })

  it('do not count twice', async () => {
    const key = aKey()
    await table.add(key, 1)
    proxy.lose('UpdateItem')
    expect(await table.add(key, 5, { max: 6 })).toBe(6)
    expect((await table.get(key))?.value).toBe(6)
  })

  it('do not count twice in a transaction, up or down', async () => {
    const [counter, item] = [aKey(), anItem()]
    proxy.lose('TransactWriteItems')
    const up = await table.transact([aPut(item), { op: 'add', key: counter, by: 1, bound: { max: 1 } }])
    expect([up.ok, (await table.get(counter))?.value]).toEqual([true, 1])
    proxy.lose('TransactWriteItems')
    const down = await table.transact([
      { op: 'delete', key: keyOf(item), expect: 'any' },
      { op: 'add', key: counter, by: -1, bound: { min: 0 } },
    ])
    expect([down.ok, (await table.get(counter))?.value]).toEqual([true, 0])
  })

  it('are UNAVAILABLE when they stay lost, and the write may be repeated then', async () => {
    const [item, rev] = [anItem(), aUlid()]
    proxy.lose(...Array.from({ length: 3 }, () => 'PutItem'))
    await expect(table.write(aPut(item, 'absent', rev))).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
    expect(await table.write(aPut(item, 'absent', rev))).toEqual({ ok: true, revs: [rev] })
  })
})
