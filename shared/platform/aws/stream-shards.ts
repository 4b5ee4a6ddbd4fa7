import { DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb'
import {
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from '@aws-sdk/client-dynamodb-streams'
import type { StreamRecord } from './change-mapper.ts'

export type Shard = { arn: string; id: string; parent?: string }

/** The stream of a table: its shards, and their records page by page. */
export const createStreamShards = (options: {
  tableName: string
  client: DynamoDBClient
  streams: DynamoDBStreamsClient
}) => {
  const { tableName, client, streams } = options
  const shardsFrom = async (arn: string, start?: string): Promise<Shard[]> => {
    const command = new DescribeStreamCommand({ StreamArn: arn, ExclusiveStartShardId: start })
    const { Shards = [], LastEvaluatedShardId } = (await streams.send(command)).StreamDescription ?? {}
    const shards = Shards.map(({ ShardId: id = '', ParentShardId: parent }) => ({ arn, id, ...(parent && { parent }) }))
    return LastEvaluatedShardId === undefined ? shards : [...shards, ...(await shardsFrom(arn, LastEvaluatedShardId))]
  }
  const iteratorAt = async ({ arn, id }: Shard, after: string | undefined): Promise<string | undefined> => {
    const start =
      after === undefined
        ? ({ ShardIteratorType: 'TRIM_HORIZON' } as const)
        : ({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: after } as const)
    const command = new GetShardIteratorCommand({ StreamArn: arn, ShardId: id, ...start })
    return (await streams.send(command)).ShardIterator
  }
  return {
    async list(): Promise<Shard[]> {
      const { Table } = await client.send(new DescribeTableCommand({ TableName: tableName }))
      return Table?.LatestStreamArn === undefined ? [] : shardsFrom(Table.LatestStreamArn)
    },
    /** Begins after a sequence number, or at the oldest record that is still there. */
    async open(shard: Shard, after: string | undefined): Promise<string | undefined> {
      try {
        return await iteratorAt(shard, after)
      } catch (error) {
        if (after === undefined || (error as Error).name !== 'TrimmedDataAccessException') throw error
        return iteratorAt(shard, undefined)
      }
    },
    /** Without a `next` the shard is closed and read to its end. */
    async read(iterator: string): Promise<{ records: StreamRecord[]; next?: string }> {
      const answer = await streams.send(new GetRecordsCommand({ ShardIterator: iterator }))
      return { records: (answer.Records ?? []) as StreamRecord[], next: answer.NextShardIterator }
    },
  }
}

export type StreamShards = ReturnType<typeof createStreamShards>
