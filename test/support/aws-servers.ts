import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { startFauxqs } from 'fauxqs'
import { createTableInput } from '#shared/platform/aws/table-definition.ts'
import { until } from './server-process.ts'

const require = createRequire(import.meta.url)

/** The DynamoDB server of this platform's npm package; there is one for Linux on x64 alone. */
export const dynoxideBinary = (): string | undefined => {
  try {
    return require.resolve('@dynoxide/linux-x64/dynoxide')
  } catch {
    return undefined
  }
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }

/** A DynamoDB server in memory. */
export const startDynoxide = async (): Promise<{ endpoint: string; stop: () => void }> => {
  const binary = dynoxideBinary()
  if (binary === undefined) throw new Error('there is no dynoxide for this platform')
  const port = await freePort()
  const child = spawn(binary, ['serve', '--host', '127.0.0.1', '--port', String(port)], { stdio: 'ignore' })
  const endpoint = `http://127.0.0.1:${port}`
  await until(
    () =>
      fetch(endpoint).then(
        () => true,
        () => false,
      ),
    { what: 'dynoxide' },
  )
  return { endpoint, stop: () => void child.kill('SIGKILL') }
}

/** DynamoDB, SQS and S3 on this machine with the platform's tables and bucket, as the environment that selects them. */
export const startAwsServers = async () => {
  const dynamo = await startDynoxide()
  const fauxqs = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false })
  const queueEndpoint = `http://127.0.0.1:${fauxqs.port}`
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
    STAGE: 'test',
    MAIN_TABLE: 'main',
    VOLATILE_TABLE: 'volatile',
    OBJECTS_BUCKET: 'objects',
    EVENT_BUS_NAME: 'bus',
    QUEUE_PREFIX: 'devcycle-test',
    GENERATION: '1',
  }
  return {
    environment,
    async stop() {
      await fauxqs.stop()
      dynamo.stop()
    },
  }
}
