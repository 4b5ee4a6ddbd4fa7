import { ApiGatewayManagementApiClient } from '@aws-sdk/client-apigatewaymanagementapi'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import { ECSClient } from '@aws-sdk/client-ecs'
import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { S3Client } from '@aws-sdk/client-s3'
import { SFNClient } from '@aws-sdk/client-sfn'
import { SQSClient } from '@aws-sdk/client-sqs'
import { createEgress } from '../egress.ts'
import type { ChangeFeed, Clock, Platform } from '../platform.ts'
import { createSystemClock, createSystemRandom } from '../system.ts'
import { callbackUrl, createApiGatewayRealtime } from './api-gateway-realtime.ts'
import { patientConfig, quickConfig } from './client-config.ts'
import { createDynamoChangeFeed } from './dynamodb-change-feed.ts'
import { createDynamoTable } from './dynamodb-table.ts'
import { createEcsAgentHosts } from './ecs-agent-hosts.ts'
import { createEventBridgeBus } from './eventbridge-bus.ts'
import { createPowertoolsTelemetry, type PowertoolsTelemetry } from './powertools-telemetry.ts'
import { createRemoteDeployer } from './remote-deployer.ts'
import { createRunEnds } from './run-ends.ts'
import { createS3Objects, s3ClientConfig } from './s3-objects.ts'
import { parseSettings, type Settings } from './settings.ts'
import { createSqsQueues } from './sqs-queues.ts'
import { createMachineVersions } from './state-machine-versions.ts'
import { createStepFunctionsWorkflows } from './step-functions-workflows.ts'

export type AwsPlatform = Platform & {
  telemetry: PowertoolsTelemetry
  settings: Settings
  /** Makes versions of machines as whoever runs this. */
  machines: ReturnType<typeof createMachineVersions>
  /** Whose run has ended by what EventBridge tells. */
  runEndOf: ReturnType<typeof createRunEnds>
}

export type AwsPlatformOptions = {
  /** Told of each client that is made, so that its calls can be counted or traced. */
  observe?: <C extends object>(client: C) => C
  clock?: Clock
}

/** The platform over AWS services; region, credentials and endpoints come from the SDK's own environment. */
export const createAwsPlatform = (
  env: Record<string, string | undefined>,
  { observe = (client) => client, clock = createSystemClock() }: AwsPlatformOptions = {},
): AwsPlatform => {
  const settings = parseSettings(env)
  const random = createSystemRandom()
  const client = observe(new DynamoDBClient(quickConfig))
  const telemetry = createPowertoolsTelemetry({ serviceName: settings.SERVICE_NAME, namespace: 'DevCycle' })
  const table = (tableName: string) => createDynamoTable({ tableName, client, clock, random })
  const volatile = table(settings.VOLATILE_TABLE)
  const states = observe(new SFNClient(quickConfig))
  const tags = { application: 'devcycle', stage: settings.STAGE }
  const machines = createMachineVersions({
    client: states,
    arnPrefix: settings.STATE_MACHINE_PREFIX,
    roleArn: settings.WORKFLOW_ROLE_ARN,
    stepsQueueUrl: settings.STEPS_QUEUE_URL,
    tags,
  })
  const functionName = settings.DEPLOYER_FUNCTION
  const deployer = functionName && createRemoteDeployer({ client: new LambdaClient(patientConfig), functionName })
  /** Functions get their changes from Lambda: the client of the stream is made for the loops that read it. */
  const consume: ChangeFeed['consume'] = (...consumer) =>
    createDynamoChangeFeed({
      tableName: settings.MAIN_TABLE,
      client,
      streams: new DynamoDBStreamsClient(quickConfig),
      checkpoints: volatile,
      clock,
      telemetry,
    }).consume(...consumer)
  return {
    settings,
    main: table(settings.MAIN_TABLE),
    volatile,
    feed: { consume },
    queues: createSqsQueues({
      // A queue's URL names a host; calls go to the endpoint this client has.
      client: observe(new SQSClient({ ...patientConfig, useQueueUrlAsEndpoint: false })),
      prefix: settings.QUEUE_PREFIX,
      tags,
      clock,
      random,
      deadLetterArn: settings.TASK_DEAD_LETTER_ARN,
    }),
    objects: createS3Objects({
      bucket: settings.OBJECTS_BUCKET,
      client: observe(new S3Client({ ...patientConfig, ...s3ClientConfig })),
      clock,
    }),
    bus: createEventBridgeBus({
      busName: settings.EVENT_BUS_NAME,
      client: observe(new EventBridgeClient(quickConfig)),
      clock,
      random,
    }),
    egress: createEgress({ allow: settings.EGRESS_ALLOW }),
    realtime: createApiGatewayRealtime({
      url: settings.WEBSOCKET_URL,
      client: observe(
        new ApiGatewayManagementApiClient({
          ...quickConfig,
          endpoint: settings.WEBSOCKET_CALLBACK_URL ?? callbackUrl(settings.WEBSOCKET_URL),
        }),
      ),
    }),
    hosts: createEcsAgentHosts({ client: new ECSClient(quickConfig) }),
    machines,
    workflows: createStepFunctionsWorkflows({
      client: states,
      arnPrefix: settings.STATE_MACHINE_PREFIX,
      machines: deployer ? { ...machines, ...deployer } : machines,
    }),
    runEndOf: createRunEnds({ client: states }),
    telemetry,
    clock,
    random,
    generation: Number(settings.GENERATION),
  }
}
