import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { createTableInput } from '#shared/platform/aws/table-definition.ts'
import { startDynoxide } from './dynoxide.ts'
import { startQueueServer } from './fauxqs.ts'

export { dynoxideBinary } from './dynoxide.ts'

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }

/** DynamoDB, SQS and S3 on this machine with the platform's tables and bucket, as the environment that selects them. */
export const startAwsServers = async () => {
  const dynamo = await startDynoxide()
  const queues = await startQueueServer()
  const queueEndpoint = queues.endpoint
  const shared = { region: 'us-east-1', credentials }
  const client = new DynamoDBClient({ ...shared, endpoint: dynamo.endpoint })
  await client.send(new CreateTableCommand(createTableInput('main', { stream: true })))
  await client.send(new CreateTableCommand(createTableInput('volatile', { stream: false })))
  await new S3Client({ ...shared, endpoint: queueEndpoint }).send(new CreateBucketCommand({ Bucket: 'objects' }))
  const environment: Record<string, string> = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
    AWS_ENDPOINT_URL_DYNAMODB_STREAMS: dynamo.endpoint,
    AWS_ENDPOINT_URL_SQS: queueEndpoint,
    AWS_ENDPOINT_URL_S3: queueEndpoint,
    POWERTOOLS_METRICS_DISABLED: 'true',
    POWERTOOLS_TRACE_ENABLED: 'false',
    AWS_XRAY_MANUAL_MODE: 'true', // else the tracer follows every promise, which makes each cost twenty times as much
    STAGE: 'test',
    MAIN_TABLE: 'main',
    VOLATILE_TABLE: 'volatile',
    OBJECTS_BUCKET: 'objects',
    EVENT_BUS_NAME: 'bus',
    WEBSOCKET_URL: 'wss://sockets.test/live',
    QUEUE_PREFIX: 'devcycle-test',
    STATE_MACHINE_PREFIX: 'arn:aws:states:us-east-1:000000000000:stateMachine:devcycle-test',
    WORKFLOW_ROLE_ARN: 'arn:aws:iam::000000000000:role/workflows',
    STEPS_QUEUE_URL: `${queueEndpoint}/000000000000/devcycle-test-steps`,
    GENERATION: '1',
  }
  return {
    environment,
    async stop() {
      await Promise.all([queues.stop(), dynamo.stop()])
    },
  }
}
