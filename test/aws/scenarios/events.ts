import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { EventBridgeClient, PutEventsCommand, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge'
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { expect, it } from 'vitest'
import { dueBody } from '#shared/domain/dispatch/due.ts'
import { taskKey } from '#shared/domain/tasks/task-store.ts'
import { createDynamoTable } from '#shared/platform/aws/dynamodb-table.ts'
import { createSystemClock, createSystemRandom } from '#shared/platform/system.ts'
import type { TestRepository } from '#test/support/git-repository.ts'
import { until } from '#test/support/server-process.ts'
import type { Calls } from '../calls.ts'
import { clientConfig, type Deployment } from '../deployment.ts'

/** Calls go to the endpoint, whatever host the address of a queue names. */
const aQueueClient = (app: Deployment): SQSClient =>
  new SQSClient({ ...clientConfig(app.emulator), useQueueUrlAsEndpoint: false })

/** Events in and out over the bus, and messages of queues that nobody can handle. The reviewer runs. */
export const eventScenarios = (app: () => Deployment, calls: Calls, repository: () => TestRepository) => {
  const { call, json, ended } = calls

  it('makes a task of an event, and an event of its end', async () => {
    const [bus, sqs] = [new EventBridgeClient(clientConfig(app().emulator)), aQueueClient(app())]
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'listener' }))
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }))
    const pattern = {
      'detail-type': ['io.devcycle.task.succeeded.v1'],
      detail: { data: { labels: { via: ['event'] } } },
    }
    const rule = { EventBusName: app().outputs.EventBusName }
    await bus.send(new PutRuleCommand({ ...rule, Name: 'ended', EventPattern: JSON.stringify(pattern) }))
    await bus.send(
      new PutTargetsCommand({ ...rule, Rule: 'ended', Targets: [{ Id: 'queue', Arn: Attributes?.QueueArn }] }),
    )

    const { ref } = await json('objects', 'put', repository().bundle())
    const input = { repository: { bundle: ref, ref: 'main' } }
    const parent = (await call('POST', '/tasks', { body: { capability: 'nobody.offers' } })).body.id
    const detail = { capability: 'code.review', input, labels: { via: 'event' }, parent }
    const event = { Source: 'com.example.ci', DetailType: 'devcycle.task.submit', Detail: JSON.stringify(detail) }
    await bus.send(new PutEventsCommand({ Entries: [event] }))
    const task = await until(async () => (await call('GET', '/tasks?label=via:event')).body.items?.[0], {
      seconds: 40,
      what: 'the task',
    })
    expect(await ended(task.id)).toMatchObject({ status: 'SUCCEEDED', labels: { via: 'event' }, parent })
    const message = await until(
      async () => (await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }))).Messages?.[0],
      { seconds: 40, what: 'the event' },
    )
    expect(JSON.parse(message.Body ?? '').detail).toMatchObject({
      specversion: '1.0',
      source: 'io.devcycle',
      type: 'io.devcycle.task.succeeded.v1',
      subject: task.id,
      data: { id: task.id, capability: 'code.review', agent: 'code-reviewer' },
    })
  })

  it('sets a message aside that nobody can handle', async () => {
    const sqs = aQueueClient(app())
    const id = 'tsk_00000000000000000000000000'
    const poison = { ...taskKey('default', id), type: 'poison', value: null }
    const stored = await createDynamoTable({
      tableName: app().outputs.MainTable ?? '',
      client: new DynamoDBClient(clientConfig(app().emulator)),
      clock: createSystemClock(),
      random: createSystemRandom(),
    }).write({ op: 'put', item: poison, expect: 'any' })
    expect(stored.ok).toBe(true)
    const queue = async (QueueName: string) => (await sqs.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl
    const QueueUrl = await queue('devcycle-dev-due')
    // Ten tries would take an hour.
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: '1' } }))
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: dueBody('default', id) }))
    const deadLetters = await queue('devcycle-dev-due-dead-letters')
    const letter = await until(
      async () => {
        const receive = new ReceiveMessageCommand({ QueueUrl: deadLetters, WaitTimeSeconds: 5 })
        return (await sqs.send(receive)).Messages?.[0]
      },
      { seconds: 110, what: 'the dead letter' },
    )
    expect(letter.Body).toBe(dueBody('default', id))
  })
}
