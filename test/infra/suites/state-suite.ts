import { describe, expect, it } from 'vitest'
import { tableDefinition } from '#shared/platform/aws/table-definition.ts'
import { flat, type Synthesized } from '../synthesize.ts'

/** Another id is another resource: CloudFormation would begin anew with an empty one. */
const stateful = {
  Main54E5BC70: 'AWS::DynamoDB::GlobalTable',
  Volatile8F05FEA5: 'AWS::DynamoDB::GlobalTable',
  ObjectsA92BA4F1: 'AWS::S3::Bucket',
  BusEA82B648: 'AWS::Events::EventBus',
  BusArchiveD76499E2: 'AWS::Events::Archive',
  DueQueueDC908102: 'AWS::SQS::Queue',
  DeliveriesQueue99C7B338: 'AWS::SQS::Queue',
  StepsQueue5E721B65: 'AWS::SQS::Queue',
  DueDeadLettersF3AD640B: 'AWS::SQS::Queue',
  Failures8A3E1A2F: 'AWS::SQS::Queue',
  Undeliverable013D69EE: 'AWS::SQS::Queue',
}

export const stateSuite = (dev: Synthesized) =>
  describe('what is kept', () => {
    const tables = dev.resources('AWS::DynamoDB::GlobalTable')
    const [bucket] = dev.resources('AWS::S3::Bucket')

    it('is in the data stack alone, under ids that never change', () => {
      const types = [...new Set(Object.values(stateful))]
      const found = dev.resources().filter(({ type }) => types.includes(type))
      expect(Object.fromEntries(found.map(({ id, type }) => [id, type]))).toEqual(stateful)
      expect(new Set(found.map(({ part }) => part))).toEqual(new Set(['Data']))
    })

    it('outlives its stack, which refuses to be deleted', () => {
      expect(dev.stacks.filter(({ terminationProtection }) => terminationProtection).map(({ id }) => id)).toEqual([
        'Data',
      ])
      for (const { whole } of [...tables, ...(bucket ? [bucket] : [])])
        expect(whole).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' })
      for (const { properties } of tables) expect(properties.Replicas[0].DeletionProtectionEnabled).toBe(true)
    })

    it('is two tables as the adapter defines them, on demand, encrypted, restorable to any second', () => {
      expect(tables).toHaveLength(2)
      for (const { properties } of tables) {
        expect(properties).toMatchObject({
          BillingMode: 'PAY_PER_REQUEST',
          KeySchema: [
            { AttributeName: tableDefinition.partitionKey, KeyType: 'HASH' },
            { AttributeName: tableDefinition.sortKey, KeyType: 'RANGE' },
          ],
          SSESpecification: { SSEEnabled: true },
          TimeToLiveSpecification: { AttributeName: tableDefinition.timeToLiveAttribute, Enabled: true },
        })
        expect(properties.Replicas[0].PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled).toBe(true)
        expect(properties.GlobalSecondaryIndexes).toEqual(
          tableDefinition.indexes.map(({ indexName, partitionKey, sortKey }) => ({
            IndexName: indexName,
            KeySchema: [
              { AttributeName: partitionKey, KeyType: 'HASH' },
              { AttributeName: sortKey, KeyType: 'RANGE' },
            ],
            Projection: { ProjectionType: 'KEYS_ONLY' },
          })),
        )
      }
    })

    it('has a stream of the main table alone', () => {
      const streams = Object.fromEntries(tables.map(({ id, properties }) => [id, properties.StreamSpecification]))
      expect(streams).toEqual({ Main54E5BC70: { StreamViewType: 'NEW_AND_OLD_IMAGES' }, Volatile8F05FEA5: undefined })
    })

    it('has objects in a bucket that is encrypted, versioned and closed', () => {
      expect(bucket?.properties).toMatchObject({
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
        },
        VersioningConfiguration: { Status: 'Enabled' },
        OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
      })
      expect(bucket?.properties.LifecycleConfiguration.Rules[0].NoncurrentVersionExpiration.NoncurrentDays).toBe(30)
    })

    it.each(['AWS::S3::BucketPolicy', 'AWS::SQS::QueuePolicy', 'AWS::SNS::TopicPolicy'])(
      'refuses plain HTTP: %s',
      (type) => {
        const policies = dev.resources(type)
        expect(policies.length).toBeGreaterThan(0)
        for (const { properties } of policies)
          expect(properties.PolicyDocument.Statement).toContainEqual(
            expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          )
      },
    )

    it('encrypts every queue, and keeps what was set aside for two weeks', () => {
      const queues = dev.resources('AWS::SQS::Queue')
      expect(dev.resources('AWS::SQS::QueuePolicy')).toHaveLength(queues.length)
      for (const { properties } of queues)
        expect(properties).toMatchObject({ SqsManagedSseEnabled: true, MessageRetentionPeriod: 1_209_600 })
    })

    it('archives what is published', () => {
      const [archive] = dev.resources('AWS::Events::Archive')
      expect(archive?.properties).toMatchObject({ RetentionDays: 30, EventPattern: { source: ['io.devcycle'] } })
      expect(flat(archive?.properties.SourceArn)).toContain('Bus')
    })
  })
