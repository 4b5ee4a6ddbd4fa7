import { CfnOutput, CfnParameter, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib'
import {
  AttributeType,
  Billing,
  ProjectionType,
  StreamViewType,
  TableEncryptionV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb'
import { EventBus } from 'aws-cdk-lib/aws-events'
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3'
import type { Construct } from 'constructs'
import { tableDefinition } from '#shared/platform/aws/table-definition.ts'
import { acknowledge } from '../acknowledge.ts'
import type { StageConfig } from '../config.ts'
import { PlatformQueue } from '../constructs/platform-queue.ts'

export interface DataStackProps extends StackProps {
  readonly prefix: string
  readonly config: StageConfig
}

/** What survives a deploy: records, objects, the bus, and the queues that no agent owns. Everything else is replaceable. */
export class DataStack extends Stack {
  readonly main: TableV2
  readonly volatile: TableV2
  readonly objects: Bucket
  readonly bus: EventBus
  readonly due: PlatformQueue
  /** Where messages of agents' queues go that were received too often. */
  readonly undeliverable: PlatformQueue
  readonly generation: CfnParameter

  constructor(scope: Construct, id: string, { prefix, config, ...props }: DataStackProps) {
    super(scope, id, { ...props, terminationProtection: config.terminationProtection })
    this.main = this.table('Main', { stream: true })
    this.volatile = this.table('Volatile', { stream: false })
    this.objects = new Bucket(this, 'Objects', {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      versioned: true,
      lifecycleRules: [
        { abortIncompleteMultipartUploadAfter: Duration.days(1), noncurrentVersionExpiration: Duration.days(30) },
      ],
      removalPolicy: RemovalPolicy.RETAIN,
    })
    acknowledge(this.objects, 'AwsSolutions-S1', 'access to objects is by presigned addresses, which the API logs')
    this.bus = new EventBus(this, 'Bus', { eventBusName: prefix })
    this.bus.archive('Archive', { eventPattern: { source: ['io.devcycle'] }, retention: Duration.days(30) })
    this.due = new PlatformQueue(this, 'Due', { queueName: `${prefix}-due`, visibilityTimeout: Duration.minutes(6) })
    this.undeliverable = new PlatformQueue(this, 'Undeliverable', {
      queueName: `${prefix}-undeliverable`,
      isDeadLetterQueue: true,
    })
    this.generation = new CfnParameter(this, 'Generation', {
      type: 'Number',
      default: 1,
      description:
        'First half of every fence. Set it to the current unix time after restoring a backup or failing over.',
    })
    new CfnOutput(this, 'MainTable', { value: this.main.tableName })
    new CfnOutput(this, 'EventBusName', { value: this.bus.eventBusName })
    new CfnOutput(this, 'ObjectsBucket', { value: this.objects.bucketName })
  }

  private table(id: string, { stream }: { stream: boolean }): TableV2 {
    const key = (name: string) => ({ name, type: AttributeType.STRING })
    return new TableV2(this, id, {
      partitionKey: key(tableDefinition.partitionKey),
      sortKey: key(tableDefinition.sortKey),
      globalSecondaryIndexes: tableDefinition.indexes.map(({ indexName, partitionKey, sortKey }) => ({
        indexName,
        partitionKey: key(partitionKey),
        sortKey: key(sortKey),
        projectionType: ProjectionType.KEYS_ONLY,
      })),
      billing: Billing.onDemand(),
      encryption: TableEncryptionV2.awsManagedKey(),
      timeToLiveAttribute: tableDefinition.timeToLiveAttribute,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
      ...(stream && { dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES }),
    })
  }
}
