import { CfnOutput, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import {
  AttributeType,
  Billing,
  ProjectionType,
  StreamViewType,
  TableEncryptionV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb'
import { EventBus } from 'aws-cdk-lib/aws-events'
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3'
import type { Construct } from 'constructs'
import { tableDefinition } from '#shared/platform/aws/table-definition.ts'
import { acknowledge } from '../acknowledge.ts'
import type { StageProps } from '../config.ts'
import { DeadLetterQueue, PlatformQueue } from '../constructs/platform-queue.ts'
import { WorkflowRole } from '../constructs/workflow-role.ts'

/**
 * What survives a deploy: records, objects, the bus, the queues that no agent owns, and what was set aside.
 * Everything else is replaceable. Deleting this stack is refused; its tables and its bucket outlive it.
 */
export class DataStack extends Stack {
  readonly main: TableV2
  readonly volatile: TableV2
  readonly objects: Bucket
  readonly bus: EventBus
  readonly due: PlatformQueue
  /** Attempts to tell webhooks. */
  readonly deliveries: PlatformQueue
  /** Commands of workflows' steps. */
  readonly steps: PlatformQueue
  /** What the state machines of workflows act as; those that run outlive a deploy. */
  readonly workflowRole: WorkflowRole
  /** Events that a function could not handle. */
  readonly failures: DeadLetterQueue
  /** Messages of agents' queues, of deliveries and of workflows' steps that were received too often. */
  readonly undeliverable: DeadLetterQueue

  constructor(scope: Construct, id: string, props: StageProps) {
    super(scope, id, { ...props, terminationProtection: true })
    const { prefix } = props
    this.main = this.table('Main', { stream: true })
    this.volatile = this.table('Volatile', { stream: false })
    this.objects = this.bucket('Objects')
    this.bus = new EventBus(this, 'Bus', { eventBusName: prefix })
    this.bus.archive('Archive', { eventPattern: { source: ['io.devcycle'] }, retention: Duration.days(30) })
    this.due = new PlatformQueue(this, 'Due', { queueName: `${prefix}-due`, visibilityTimeout: Duration.minutes(6) })
    this.failures = new DeadLetterQueue(this, 'Failures', { queueName: `${prefix}-failures` })
    this.failures.acceptFromRules(prefix, prefix)
    this.undeliverable = new DeadLetterQueue(this, 'Undeliverable', { queueName: `${prefix}-undeliverable` })
    this.deliveries = new PlatformQueue(this, 'Deliveries', {
      queueName: `${prefix}-deliveries`,
      visibilityTimeout: Duration.minutes(6),
      deadLetters: this.undeliverable,
    })
    this.steps = new PlatformQueue(this, 'Steps', {
      queueName: `${prefix}-steps`,
      visibilityTimeout: Duration.minutes(6),
      deadLetters: this.undeliverable,
    })
    this.workflowRole = new WorkflowRole(this, 'WorkflowRole', { prefix, steps: this.steps.queue })
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

  private bucket(id: string): Bucket {
    const bucket = new Bucket(this, id, {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: true,
      lifecycleRules: [
        { abortIncompleteMultipartUploadAfter: Duration.days(1), noncurrentVersionExpiration: Duration.days(30) },
      ],
      removalPolicy: RemovalPolicy.RETAIN,
    })
    acknowledge(bucket, 'AwsSolutions-S1', 'access to objects is by presigned addresses, which the API logs')
    return bucket
  }
}
