import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import { ECSClient } from '@aws-sdk/client-ecs'
import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { S3Client } from '@aws-sdk/client-s3'
import { SQSClient } from '@aws-sdk/client-sqs'
import type { Platform } from '../platform.ts'
import { createSystemClock, createSystemRandom } from '../system.ts'
import { createDynamoChangeFeed } from './dynamodb-change-feed.ts'
import { createDynamoTable } from './dynamodb-table.ts'
import { createEcsAgentHosts } from './ecs-agent-hosts.ts'
import { createEventBridgeBus } from './eventbridge-bus.ts'
import { createPowertoolsTelemetry, type PowertoolsTelemetry } from './powertools-telemetry.ts'
import { createS3Objects } from './s3-objects.ts'
import { parseSettings, type Settings } from './settings.ts'
import { createSqsQueues } from './sqs-queues.ts'

export type AwsPlatform = Platform & { telemetry: PowertoolsTelemetry; settings: Settings }

/** The platform over AWS services; region, credentials and endpoints come from the SDK's own environment. */
export const createAwsPlatform = (env: Record<string, string | undefined>): AwsPlatform => {
  const settings = parseSettings(env)
  const [clock, random] = [createSystemClock(), createSystemRandom()]
  const client = new DynamoDBClient({})
  const telemetry = createPowertoolsTelemetry({ serviceName: settings.SERVICE_NAME, namespace: 'DevCycle' })
  const table = (tableName: string) => createDynamoTable({ tableName, client, clock, random })
  return {
    settings,
    main: table(settings.MAIN_TABLE),
    volatile: table(settings.VOLATILE_TABLE),
    feed: createDynamoChangeFeed({
      tableName: settings.MAIN_TABLE,
      client,
      streams: new DynamoDBStreamsClient({}),
      clock,
      telemetry,
    }),
    queues: createSqsQueues({
      client: new SQSClient({ useQueueUrlAsEndpoint: false }),
      prefix: settings.QUEUE_PREFIX,
      clock,
      random,
      deadLetterArn: settings.TASK_DEAD_LETTER_ARN,
    }),
    objects: createS3Objects({ bucket: settings.OBJECTS_BUCKET, client: new S3Client({}), clock }),
    bus: createEventBridgeBus({ busName: settings.EVENT_BUS_NAME, client: new EventBridgeClient({}) }),
    hosts: createEcsAgentHosts({ client: new ECSClient({}) }),
    telemetry,
    clock,
    random,
    generation: Number(settings.GENERATION),
  }
}
