import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import type { Change, ChangeFeed, Clock, Table, Telemetry } from '../platform.ts'
import { createShardCheckpoints } from './shard-checkpoints.ts'
import { type Consumer, readShard } from './shard-reader.ts'
import { createStreamShards, type Shard } from './stream-shards.ts'

type Options = {
  tableName: string
  client?: DynamoDBClient
  streams?: DynamoDBStreamsClient
  /** Keeps how far each consumer came; the volatile table, which feeds nothing. */
  checkpoints: Table
  clock: Clock
  telemetry: Telemetry
}

const lookEveryMs = 1000

/**
 * The table's stream, read from this process, for endpoints without Lambda (on AWS a Lambda event source does this,
 * with the same mapper).
 */
export const createDynamoChangeFeed = (options: Options): ChangeFeed => {
  const {
    tableName,
    client = new DynamoDBClient({}),
    streams = new DynamoDBStreamsClient({}),
    clock,
    telemetry,
  } = options
  const shards = createStreamShards({ tableName, client, streams })
  const context = {
    shards,
    checkpoints: createShardCheckpoints({ table: options.checkpoints, clock }),
    clock,
    telemetry,
  }

  /** Begins with every shard whose parent is done or gone: that keeps the order of each key across splits. */
  const follow = async (consumer: Consumer): Promise<void> => {
    const [begun, done] = [new Map<string, Promise<void>>(), new Set<string>()]
    const begin = async (shard: Shard): Promise<void> => {
      try {
        if (await readShard(context, consumer, shard)) done.add(shard.id)
        else begun.delete(shard.id)
      } catch (error) {
        begun.delete(shard.id)
        telemetry.log('error', 'a shard is begun again', { consumer: consumer.name, error: String(error) })
      }
    }
    while (!consumer.signal.aborted) {
      const known = await list(consumer)
      const ids = new Set(known.map(({ id }) => id))
      for (const shard of known) {
        const isNext = shard.parent === undefined || done.has(shard.parent) || !ids.has(shard.parent)
        if (isNext && !begun.has(shard.id)) begun.set(shard.id, begin(shard))
      }
      await clock.sleep(lookEveryMs, consumer.signal).catch(() => undefined)
    }
    await Promise.all(begun.values())
  }
  const list = async ({ name }: Consumer): Promise<Shard[]> => {
    try {
      return await shards.list()
    } catch (error) {
      telemetry.log('warn', 'the shards of the stream could not be listed', { consumer: name, error: String(error) })
      return []
    }
  }

  return {
    consume(name, handle, { types } = {}) {
      const stopping = new AbortController()
      const handleWanted = async (batch: Change[]): Promise<string[]> => {
        const wanted = batch.filter(({ type }) => types?.includes(type) ?? true)
        return wanted.length > 0 ? handle(wanted) : []
      }
      const running = follow({ name, handle: handleWanted, signal: stopping.signal })
      return {
        async stop() {
          stopping.abort()
          await running
        },
      }
    },
  }
}
