import { DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb'
import {
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from '@aws-sdk/client-dynamodb-streams'
import type { ChangeFeed, Clock, Telemetry } from '../platform.ts'
import { type StreamRecord, toChange } from './change-mapper.ts'

type Options = {
  tableName: string
  client: DynamoDBClient
  streams: DynamoDBStreamsClient
  clock: Clock
  telemetry: Telemetry
}

const pollMs = 250
const retryMs = 200

/**
 * The table's stream, read from this process, for hosts without Lambda (on AWS a Lambda event source does this, with
 * the same mapper). It reads from the oldest record: every consumer sees at least once what the last 24 h changed.
 */
export const createDynamoChangeFeed = ({ tableName, client, streams, clock, telemetry }: Options): ChangeFeed => {
  const streamArn = async (): Promise<string | undefined> =>
    (await client.send(new DescribeTableCommand({ TableName: tableName }))).Table?.LatestStreamArn

  const shardsOf = async (StreamArn: string): Promise<string[]> => {
    const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn }))
    return (StreamDescription?.Shards ?? []).flatMap(({ ShardId }) => ShardId ?? [])
  }
  const start = async (StreamArn: string, ShardId: string): Promise<string | undefined> => {
    const command = new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' })
    return (await streams.send(command)).ShardIterator
  }

  const consume: ChangeFeed['consume'] = (consumer, handle) => {
    const stopping = new AbortController()
    const pause = (ms: number): Promise<void> => clock.sleep(ms, stopping.signal).catch(() => undefined)

    /** Until nothing of the batch failed: order per key is kept because nothing later is read before. */
    const deliver = async (records: StreamRecord[]): Promise<void> => {
      let left = records.map(toChange).filter((change) => change !== undefined)
      while (left.length > 0 && !stopping.signal.aborted) {
        const failed = new Set(await handle(left).catch(() => left.map(({ id }) => id)))
        const keys = new Set(left.filter(({ id }) => failed.has(id)).map(({ key }) => `${key.pk}\n${key.sk}`))
        const first = left.findIndex(({ id }) => failed.has(id))
        left = first === -1 ? [] : left.slice(first).filter(({ key }) => keys.has(`${key.pk}\n${key.sk}`))
        if (left.length > 0) await pause(retryMs)
      }
    }
    const readShard = async (arn: string, shard: string): Promise<void> => {
      let iterator = await start(arn, shard)
      while (iterator !== undefined && !stopping.signal.aborted) {
        const { Records = [], NextShardIterator } = await streams.send(
          new GetRecordsCommand({ ShardIterator: iterator }),
        )
        await deliver(Records as StreamRecord[])
        iterator = NextShardIterator
        if (Records.length === 0) await pause(pollMs)
      }
    }
    const run = async (): Promise<void> => {
      const known = new Map<string, Promise<void>>()
      while (!stopping.signal.aborted) {
        const arn = await streamArn()
        for (const shard of arn === undefined ? [] : await shardsOf(arn))
          if (arn !== undefined && !known.has(shard)) known.set(shard, readShard(arn, shard))
        await pause(pollMs * 4)
      }
      await Promise.allSettled(known.values())
    }
    const running = run().catch((error: unknown) =>
      telemetry.log('error', 'the change feed stopped', { consumer, error: String(error) }),
    )
    return {
      async stop() {
        stopping.abort()
        await running
      },
    }
  }
  return { consume }
}
