import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import { mockClient } from 'aws-sdk-client-mock'
import { expect, it, vi } from 'vitest'
import { createAwsPlatform } from '#shared/platform/aws/create-aws-platform.ts'

vi.mock('@aws-sdk/client-dynamodb-streams', { spy: true })

const environment = {
  STAGE: 'test',
  MAIN_TABLE: 'main',
  VOLATILE_TABLE: 'volatile',
  OBJECTS_BUCKET: 'objects',
  EVENT_BUS_NAME: 'bus',
  WEBSOCKET_URL: 'wss://sockets.test/live',
  QUEUE_PREFIX: 'devcycle-test',
  STATE_MACHINE_PREFIX: 'arn:aws:states:us-east-1:000000000000:stateMachine:devcycle-test',
  WORKFLOW_ROLE_ARN: 'arn:aws:iam::000000000000:role/workflows',
  STEPS_QUEUE_URL: 'steps',
  GENERATION: '1',
}

it('makes a client of the stream for who reads it, and not for every function', async () => {
  vi.stubEnv('AWS_REGION', 'us-east-1')
  vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'SILENT')
  mockClient(DynamoDBClient).onAnyCommand().resolves({})
  const { feed } = createAwsPlatform(environment)
  expect(DynamoDBStreamsClient).not.toHaveBeenCalled()
  const reading = feed.consume('test', async () => [])
  expect(DynamoDBStreamsClient).toHaveBeenCalledOnce()
  await reading.stop()
})
