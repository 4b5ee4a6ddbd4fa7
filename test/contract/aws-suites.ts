import { randomBytes } from 'node:crypto'
import { CreateTableCommand, DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb'
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { SFNClient } from '@aws-sdk/client-sfn'
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs'
import { createDynamoChangeFeed } from '#shared/platform/aws/dynamodb-change-feed.ts'
import { createDynamoTable } from '#shared/platform/aws/dynamodb-table.ts'
import { createEventBridgeBus } from '#shared/platform/aws/eventbridge-bus.ts'
import { createS3Objects, s3ClientConfig } from '#shared/platform/aws/s3-objects.ts'
import { createSqsQueues } from '#shared/platform/aws/sqs-queues.ts'
import { createMachineVersions } from '#shared/platform/aws/state-machine-versions.ts'
import { createStepFunctionsWorkflows } from '#shared/platform/aws/step-functions-workflows.ts'
import { createTableInput } from '#shared/platform/aws/table-definition.ts'
import type { CloudEvent, Telemetry } from '#shared/platform/platform.ts'
import { createSystemClock, createSystemRandom } from '#shared/platform/system.ts'
import type { StepCommand } from '#test/support/runs.ts'
import { changeFeedContract } from './change-feed-contract.ts'
import type { Cannot } from './contract-test.ts'
import { eventBusContract } from './event-bus-contract.ts'
import { objectsContract } from './objects-contract.ts'
import { queuesContract } from './queues-contract.ts'
import { tableContract } from './table-contract.ts'
import { workflowsContract } from './workflows-contract.ts'

type Service = 'dynamodb' | 'sqs' | 's3' | 'events' | 'states'
export type Endpoints = Partial<Record<Service, string>> & { stop?: () => Promise<void> }
export type AwsSuite = 'table' | 'feed' | 'queues' | 'objects' | 'bus' | 'workflows'

export type AwsSuitesOptions = {
  /** What is asked, in the names of the suites. */
  label: string
  suites: AwsSuite[]
  /** Where the services are; asked once a suite, before its tests. `stop` ends what was started for it. */
  endpoints: () => Endpoints | Promise<Endpoints>
  /** Existing tables instead of new ones. */
  tables?: { main: string; volatile: string }
  /** Tests that the other side cannot pass, by suite, with the reason: skipped aloud. */
  cannot?: Partial<Record<AwsSuite, Cannot>>
  /** How many write to one key at once. @default 50 */
  writers?: number
}

const timing = { clock: createSystemClock(), random: createSystemRandom() }
const aName = (what: string): string => `${what}-${randomBytes(5).toString('hex')}`
const nothing = async (): Promise<void> => undefined

const clientOf = (endpoint: string | undefined) => ({
  endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
})

const quiet: Telemetry = {
  log: (level, message, fields) => (level === 'error' ? console.error(message, fields) : undefined),
  metric: () => undefined,
  span: (_name, _attributes, work) => work(),
  flush: nothing,
}

const createTable = async (client: DynamoDBClient, name: string, stream: boolean): Promise<string> => {
  await client.send(new CreateTableCommand(createTableInput(name, { stream })))
  await waitUntilTableExists({ client, maxWaitTime: 20, minDelay: 0.05, maxDelay: 1 }, { TableName: name })
  return name
}

/** New tables for each suite: a stream that others wrote to would be read as well. */
const openTables = async ({ dynamodb }: Endpoints, tables: AwsSuitesOptions['tables']) => {
  const client = new DynamoDBClient(clientOf(dynamodb))
  const main = tables?.main ?? (await createTable(client, aName('main'), true))
  const volatile = tables?.volatile ?? (await createTable(client, aName('volatile'), false))
  const table = (tableName: string) => createDynamoTable({ tableName, client, ...timing })
  return { client, tableName: main, main: table(main), volatile: table(volatile) }
}

const openFeed = async (endpoints: Endpoints, tables: AwsSuitesOptions['tables']) => {
  const opened = await openTables(endpoints, tables)
  const streams = new DynamoDBStreamsClient(clientOf(endpoints.dynamodb))
  const feed = createDynamoChangeFeed({ ...opened, streams, checkpoints: opened.volatile, ...timing, telemetry: quiet })
  return { main: opened.main, volatile: opened.volatile, feed }
}

const openQueues = ({ sqs }: Endpoints) => {
  const client = new SQSClient({ ...clientOf(sqs), useQueueUrlAsEndpoint: false })
  return { client, queues: createSqsQueues({ client, prefix: aName('suite'), ...timing }) }
}

const openObjects = async ({ s3 }: Endpoints) => {
  const client = new S3Client({ ...clientOf(s3), ...s3ClientConfig })
  const bucket = aName('objects')
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  return { objects: createS3Objects({ bucket, client, clock: timing.clock }) }
}

/** A bus with a rule that puts everything on a queue, where what has arrived can be looked at. */
const openBus = async (endpoints: Endpoints) => {
  const events = new EventBridgeClient(clientOf(endpoints.events))
  const { client, queues } = openQueues(endpoints)
  const [busName, rule, queue] = [aName('bus'), aName('all'), 'arrived']
  const url = await queues.locate(queue)
  const { Attributes } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }),
  )
  const where = { EventBusName: busName }
  await events.send(new CreateEventBusCommand({ Name: busName }))
  await events.send(
    new PutRuleCommand({ ...where, Name: rule, EventPattern: JSON.stringify({ source: ['devcycle'] }) }),
  )
  await events.send(
    new PutTargetsCommand({ ...where, Rule: rule, Targets: [{ Id: 'queue', Arn: Attributes?.QueueArn }] }),
  )
  const seen: CloudEvent[] = []
  const arrived = async (): Promise<CloudEvent[]> => {
    const received = await queues.receive({ queues: [queue], max: 50, waitSeconds: 0.2 })
    seen.push(...received.map(({ body }) => (JSON.parse(body) as { detail: CloudEvent }).detail))
    await queues.delete(received)
    return seen
  }
  return { bus: createEventBridgeBus({ busName, client: events, ...timing }), arrived }
}

/** Workflows whose steps' queue can be looked at. */
export const openWorkflows = async (endpoints: Endpoints) => {
  const { queues } = openQueues(endpoints)
  const queue = 'steps'
  const place = {
    client: new SFNClient(clientOf(endpoints.states)),
    arnPrefix: `arn:aws:states:us-east-1:000000000000:stateMachine:${aName('suite')}`,
  }
  const machines = createMachineVersions({
    ...place,
    roleArn: 'arn:aws:iam::000000000000:role/devcycle-workflows',
    stepsQueueUrl: (await queues.locate(queue)) ?? '',
    tags: {},
  })
  const workflows = createStepFunctionsWorkflows({ ...place, machines })
  const seen: StepCommand[] = []
  const commands = async (): Promise<StepCommand[]> => {
    const received = await queues.receive({ queues: [queue], max: 50, waitSeconds: 0 })
    seen.push(...received.map(({ body }) => JSON.parse(body) as StepCommand))
    await queues.delete(received)
    return seen
  }
  return { workflows, commands }
}

/** The contract suites of the AWS implementations against whatever answers at these endpoints. */
export const runAwsContractSuites = (options: AwsSuitesOptions): void => {
  const { label, suites, tables, cannot = {}, writers = 50 } = options
  const opening =
    <T extends object>(open: (endpoints: Endpoints) => T | Promise<T>) =>
    async (): Promise<T & { close: () => Promise<void> }> => {
      const endpoints = await options.endpoints()
      return { ...(await open(endpoints)), close: endpoints.stop ?? nothing }
    }
  const run: Record<AwsSuite, () => void> = {
    table: () =>
      tableContract(
        `DynamoDB on ${label}`,
        opening((endpoints) => openTables(endpoints, tables)),
        { writers, cannot: cannot.table },
      ),
    feed: () =>
      changeFeedContract(
        `DynamoDB Streams on ${label}`,
        opening((endpoints) => openFeed(endpoints, tables)),
        { cannot: cannot.feed },
      ),
    queues: () => queuesContract(`SQS on ${label}`, opening(openQueues), { cannot: cannot.queues }),
    objects: () => objectsContract(`S3 on ${label}`, opening(openObjects), { cannot: cannot.objects }),
    bus: () => eventBusContract(`EventBridge on ${label}`, opening(openBus), { cannot: cannot.bus }),
    workflows: () =>
      workflowsContract(`Step Functions on ${label}`, opening(openWorkflows), { cannot: cannot.workflows }),
  }
  for (const suite of suites) run[suite]()
}
