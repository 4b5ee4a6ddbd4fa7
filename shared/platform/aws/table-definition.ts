import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb'
import { indexNames } from '../platform.ts'

/**
 * The tables as a value: the data stack builds them, the adapter reads and writes them, tests create them.
 * What is asked of them is listed in ACCESS_PATTERNS.md.
 */
export const tableDefinition = {
  partitionKey: 'pk',
  sortKey: 'sk',
  /** Seconds since the epoch: DynamoDB deletes at leisure, readers decide by `expires_ms`. */
  timeToLiveAttribute: 'expires',
  /** Sparse and keys-only: an index is written only when its own keys change. */
  indexes: indexNames.map((name) => ({ indexName: name, partitionKey: `${name}_pk`, sortKey: `${name}_sk` })),
} as const

/** What `CreateTable` needs for one of the two tables; `main` has a stream. */
export const createTableInput = (tableName: string, { stream }: { stream: boolean }): CreateTableCommandInput => ({
  TableName: tableName,
  BillingMode: 'PAY_PER_REQUEST',
  KeySchema: [
    { AttributeName: tableDefinition.partitionKey, KeyType: 'HASH' },
    { AttributeName: tableDefinition.sortKey, KeyType: 'RANGE' },
  ],
  AttributeDefinitions: [
    tableDefinition.partitionKey,
    tableDefinition.sortKey,
    ...tableDefinition.indexes.flatMap(({ partitionKey, sortKey }) => [partitionKey, sortKey]),
  ].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
  GlobalSecondaryIndexes: tableDefinition.indexes.map(({ indexName, partitionKey, sortKey }) => ({
    IndexName: indexName,
    KeySchema: [
      { AttributeName: partitionKey, KeyType: 'HASH' },
      { AttributeName: sortKey, KeyType: 'RANGE' },
    ],
    Projection: { ProjectionType: 'KEYS_ONLY' },
  })),
  ...(stream && { StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' } }),
})
