import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from '@aws-sdk/client-dynamodb-streams'
import { mockClient } from 'aws-sdk-client-mock'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDynamoChangeFeed } from '#shared/platform/aws/dynamodb-change-feed.ts'
import { toAttributes, toKey } from '#shared/platform/aws/dynamodb-item.ts'
import type { Change, Key, Stored, Table, Telemetry, Write } from '#shared/platform/platform.ts'
import { createSystemClock } from '#shared/platform/system.ts'
import { eventually } from '#test/support/eventually.ts'
import { sdkError } from './errors.ts'

const dynamo = mockClient(DynamoDBClient)
const streams = mockClient(DynamoDBStreamsClient)
afterEach(() => [dynamo, streams].map((mock) => mock.reset()))

type Shard = { parent?: string; records: string[]; closed?: boolean }
type Position = { upTo?: string; finished?: boolean }

/** A stream of these shards; an iterator is `<shard> <position>`. */
const serve = (shards: Record<string, Shard>): void => {
  dynamo.on(DescribeTableCommand).resolves({ Table: { LatestStreamArn: 'arn' } })
  const listed = Object.entries(shards).map(([ShardId, { parent }]) => ({ ShardId, ParentShardId: parent }))
  streams.on(DescribeStreamCommand).callsFake(({ ExclusiveStartShardId: start }) => {
    const at = listed.findIndex(({ ShardId }) => ShardId === start) + 1
    const last = at + 1 < listed.length ? { LastEvaluatedShardId: listed[at]?.ShardId } : {}
    return { StreamDescription: { Shards: listed.slice(at, at + 1), ...last } }
  })
  streams.on(GetShardIteratorCommand).callsFake(({ ShardId, SequenceNumber }) => {
    const at = SequenceNumber === undefined ? 0 : (shards[ShardId]?.records.indexOf(SequenceNumber) ?? -1) + 1
    return { ShardIterator: `${ShardId} ${at}` }
  })
  streams.on(GetRecordsCommand).callsFake(({ ShardIterator }) => {
    const [id, at] = ShardIterator.split(' ')
    const { records = [], closed } = shards[id] ?? {}
    const Records = records.slice(Number(at), Number(at) + 2).map(toRecord)
    const next = Number(at) + Records.length
    return { Records, ...(!(closed && next === records.length) && { NextShardIterator: `${id} ${next}` }) }
  })
}

const toRecord = (name: string) => {
  const key = { pk: name[0] ?? '', sk: 'head' }
  return {
    eventID: name,
    dynamodb: {
      SequenceNumber: name,
      Keys: toKey(key),
      NewImage: toAttributes({ ...key, type: 'note', value: name }, name),
    },
  }
}

/** Keeps checkpoints. */
const aStore = () => {
  const stored = new Map<string, Position>()
  const table = {
    get: async ({ sk }: Key) => stored.has(sk) && ({ value: stored.get(sk) } as Stored),
    write: async (write: Write) => {
      if (write.op === 'put') stored.set(write.item.sk, write.item.value as Position)
      return { ok: true, revs: [''] }
    },
  }
  return { stored, table: table as unknown as Table }
}

const telemetry: Telemetry = {
  log: () => undefined,
  metric: () => undefined,
  span: (_name, _attributes, work) => work(),
  flush: async () => undefined,
}

/** The system's clock, with pauses that are shorter. */
const quick = createSystemClock()
const clock = { ...quick, sleep: (ms: number, signal?: AbortSignal) => quick.sleep(ms / 50, signal) }

const consume = (checkpoints: Table, handle: (batch: Change[]) => Promise<string[]>) =>
  createDynamoChangeFeed({
    tableName: 'main',
    client: new DynamoDBClient({ region: 'us-east-1' }),
    streams: new DynamoDBStreamsClient({ region: 'us-east-1' }),
    checkpoints,
    clock,
    telemetry,
  }).consume('projector', handle)

describe('the feed of a stream', () => {
  let seen: string[]
  const collect = async (batch: Change[]): Promise<string[]> => {
    seen.push(...batch.map(({ id }) => id))
    return []
  }
  beforeEach(() => {
    seen = []
  })

  it('reads a shard only when its parent is done, through splits, so that no key loses its order', async () => {
    serve({
      child: { parent: 'parent', records: ['a3', 'a4'] },
      parent: { records: ['a1', 'a2', 'b1'], closed: true },
      other: { parent: 'long gone', records: ['c1'] },
    })
    let failures = 0
    const reluctant = async (batch: Change[]): Promise<string[]> => {
      const refused = failures < 3 && batch.some(({ id }) => id === 'a2')
      if (refused) failures++
      await collect(batch.filter(({ id }) => !refused || id !== 'a2'))
      return refused ? ['a2'] : []
    }
    const running = consume(aStore().table, reluctant)
    await eventually(() => expect(seen).toEqual(expect.arrayContaining(['a4', 'c1'])))
    await running.stop()
    expect(failures).toBe(3)
    expect([...new Set(seen.filter((id) => id.startsWith('a')))]).toEqual(['a1', 'a2', 'a3', 'a4'])
  })

  it('begins after its checkpoint, and leaves out what it had finished', async () => {
    serve({
      done: { records: ['a1'], closed: true },
      half: { records: ['b1', 'b2', 'b3'] },
    })
    const { table, stored } = aStore()
    stored.set('done', { upTo: 'a1', finished: true })
    stored.set('half', { upTo: 'b1' })
    const running = consume(table, collect)
    await eventually(() => expect(seen).toEqual(['b2', 'b3']))
    await running.stop()
    expect(stored.get('half')).toMatchObject({ upTo: 'b3', finished: false })
  })

  it('begins at the oldest record when what follows its checkpoint is gone', async () => {
    serve({ shard: { records: ['a5'] } })
    const { table, stored } = aStore()
    stored.set('shard', { upTo: 'a1' })
    streams.on(GetShardIteratorCommand).callsFake(({ ShardIteratorType }) => {
      if (ShardIteratorType === 'AFTER_SEQUENCE_NUMBER') throw sdkError('TrimmedDataAccessException')
      return { ShardIterator: 'shard 0' }
    })
    const running = consume(table, collect)
    await eventually(() => expect(seen).toEqual(['a5']))
    await running.stop()
  })

  it('never saves a checkpoint beyond a change that failed', async () => {
    serve({ shard: { records: ['a1', 'b1', 'c1', 'd1'] } })
    const { table, stored } = aStore()
    const running = consume(table, async (batch) => {
      await collect(batch)
      return batch.filter(({ id }) => id === 'b1').map(({ id }) => id)
    })
    await eventually(() => expect(seen).toContain('d1'))
    await running.stop()
    expect(stored.get('shard')).toEqual({ upTo: 'a1', finished: false })
  })

  it('opens a shard again where reading ended when its iterator has expired', async () => {
    serve({ shard: { records: ['a1', 'a2', 'a3'] } })
    streams
      .on(GetRecordsCommand, { ShardIterator: 'shard 2' })
      .rejectsOnce(sdkError('ExpiredIteratorException'))
      .resolves({ Records: [toRecord('a3')], NextShardIterator: 'shard 3' })
    const running = consume(aStore().table, collect)
    await eventually(() => expect(seen).toContain('a3'))
    await running.stop()
    expect(seen).toEqual(['a1', 'a2', 'a3'])
    const last = streams.commandCalls(GetShardIteratorCommand).at(-1)?.args[0].input
    expect(last).toMatchObject({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: 'a2' })
  })

  it('outlives a server that is away', async () => {
    serve({ shard: { records: ['a1'] } })
    const away = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
    dynamo
      .on(DescribeTableCommand)
      .rejectsOnce(away)
      .rejectsOnce(away)
      .resolves({ Table: { LatestStreamArn: 'arn' } })
    const running = consume(aStore().table, collect)
    await eventually(() => expect(seen).toEqual(['a1']))
    await running.stop()
  })

  it('begins a shard again when its checkpoint could not be read', async () => {
    serve({ shard: { records: ['a1'] } })
    const { table } = aStore()
    let failures = 0
    const flaky = {
      ...table,
      get: async (key: Key) => (failures++ < 2 ? Promise.reject(new Error('away')) : table.get(key)),
    }
    const running = consume(flaky as Table, collect)
    await eventually(() => expect(seen).toEqual(['a1']))
    await running.stop()
  })
})
