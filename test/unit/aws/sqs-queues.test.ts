import {
  ChangeMessageVisibilityBatchCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { mockClient } from 'aws-sdk-client-mock'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSqsQueues } from '#shared/platform/aws/sqs-queues.ts'
import type { Received } from '#shared/platform/platform.ts'
import { eventually } from '#test/support/eventually.ts'
import { sdkError } from './errors.ts'
import { aTiming } from './timing.ts'

const sqs = mockClient(SQSClient)
const missing = sdkError('QueueDoesNotExist')
const urlOf = (name: string): string => `https://sqs.invalid/1/${name}`
afterEach(() => sqs.reset())
beforeEach(() => {
  sqs.on(GetQueueUrlCommand).callsFake(({ QueueName }) => ({ QueueUrl: urlOf(QueueName) }))
})

const someQueues = (options: { deadLetterArn?: string; maxReceiveCount?: number } = {}) => {
  const timing = aTiming()
  const client = new SQSClient({ region: 'us-east-1' })
  return { ...timing, queues: createSqsQueues({ client, prefix: 'dev', ...timing, ...options }) }
}

const failed = (Id: string, SenderFault = false) => ({ Id, SenderFault, Code: 'InternalError', Message: 'oops' })
const received = (queue: string, body: string): Received => ({ queue, body, receipt: body, receives: 1, sentAt: 0 })
const message = (body: string) => ({ Body: body, ReceiptHandle: body })
const sentBodies = (): string[][] =>
  sqs
    .commandCalls(SendMessageBatchCommand)
    .map(({ args }) => args[0].input.Entries?.map((one) => one.MessageBody ?? '') ?? [])

describe('sending', () => {
  it('sends again what was not taken, and that alone', async () => {
    sqs
      .on(SendMessageBatchCommand)
      .resolvesOnce({ Failed: [failed('1'), failed('3')] })
      .resolvesOnce({ Failed: [failed('0')] })
      .resolves({})
    const { queues, slept } = someQueues()
    await queues.send(
      'q',
      ['a', 'b', 'c', 'd'].map((body) => ({ body })),
    )
    expect(sentBodies()).toEqual([['a', 'b', 'c', 'd'], ['b', 'd'], ['b']])
    expect(slept).toEqual([12.5, 25])
  })

  it('is UNAVAILABLE when something is never taken', async () => {
    sqs.on(SendMessageBatchCommand).resolves({ Failed: [failed('0')] })
    await expect(someQueues().queues.send('q', [{ body: 'a' }])).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('does not repeat what is refused for good', async () => {
    sqs.on(SendMessageBatchCommand).resolves({ Failed: [failed('0', true)] })
    await expect(someQueues().queues.send('q', [{ body: 'a' }])).rejects.toMatchObject({ code: 'INVALID' })
    expect(sentBodies()).toHaveLength(1)
  })

  it('is THROTTLED or UNAVAILABLE when SQS is', async () => {
    sqs.on(SendMessageBatchCommand).rejects(sdkError('RequestThrottled'))
    await expect(someQueues().queues.send('q', [{ body: 'a' }])).rejects.toMatchObject({ code: 'THROTTLED' })
    sqs.on(SendMessageBatchCommand).rejects(sdkError('TimeoutError'))
    await expect(someQueues().queues.send('q', [{ body: 'a' }])).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('tells the group of a message, by a digest where SQS would not take it, and whole seconds of delay', async () => {
    sqs.on(SendMessageBatchCommand).resolves({})
    await someQueues().queues.send('q', [
      { body: 'a', group: 'acme', delaySeconds: 0.2 },
      { body: 'b', group: 'größer' },
      { body: 'c' },
    ])
    const [one, two, three] = sqs.commandCalls(SendMessageBatchCommand)[0]?.args[0].input.Entries ?? []
    expect(one).toMatchObject({ MessageGroupId: 'acme', DelaySeconds: 1 })
    expect(two?.MessageGroupId).toMatch(/^[0-9a-f]{64}$/)
    expect(three).toEqual({ Id: '2', MessageBody: 'c' })
  })
})

describe('a queue', () => {
  it('is made with long polls, encryption and a dead letter queue', async () => {
    sqs.on(GetQueueUrlCommand).rejects(missing)
    sqs.on(CreateQueueCommand).resolves({ QueueUrl: urlOf('q') })
    await someQueues({ deadLetterArn: 'arn:dead', maxReceiveCount: 7 }).queues.ensure('q')
    const { QueueName, Attributes = {} } = sqs.commandCalls(CreateQueueCommand)[0]?.args[0].input ?? {}
    expect(QueueName).toBe('dev-q')
    expect(Attributes).toMatchObject({ ReceiveMessageWaitTimeSeconds: '20', SqsManagedSseEnabled: 'true' })
    expect(JSON.parse(Attributes.RedrivePolicy ?? '')).toEqual({ deadLetterTargetArn: 'arn:dead', maxReceiveCount: 7 })
  })

  it('is looked up once', async () => {
    sqs.on(SendMessageBatchCommand).resolves({})
    const { queues } = someQueues()
    await Promise.all([queues.ensure('q'), queues.send('q', [{ body: 'a' }]), queues.locate('q')])
    expect(sqs.commandCalls(GetQueueUrlCommand)).toHaveLength(1)
  })

  it('is looked up again after a failure', async () => {
    sqs
      .on(GetQueueUrlCommand)
      .rejectsOnce(sdkError('ServiceUnavailable', { status: 503 }))
      .resolves({ QueueUrl: urlOf('q') })
    const { queues } = someQueues()
    await expect(queues.ensure('q')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(await queues.locate('q')).toBe(urlOf('q'))
  })

  it('is found when somebody else made it at the same time with other attributes', async () => {
    sqs
      .on(GetQueueUrlCommand)
      .rejectsOnce(missing)
      .resolves({ QueueUrl: urlOf('q') })
    sqs.on(CreateQueueCommand).rejects(sdkError('QueueNameExists'))
    expect(await someQueues().queues.locate('q')).toBe(urlOf('q'))
  })

  it('is made again when it was deleted since', async () => {
    sqs.on(SendMessageBatchCommand).rejectsOnce(missing).resolves({})
    const { queues } = someQueues()
    sqs
      .on(GetQueueUrlCommand)
      .resolvesOnce({ QueueUrl: urlOf('old') })
      .rejects(missing)
    sqs.on(CreateQueueCommand).resolves({ QueueUrl: urlOf('new') })
    await queues.send('q', [{ body: 'a' }])
    const urls = sqs.commandCalls(SendMessageBatchCommand).map(({ args }) => args[0].input.QueueUrl)
    expect(urls).toEqual([urlOf('old'), urlOf('new')])
  })
})

describe('settling', () => {
  it('deletes again what was not taken, and lets receipts go that SQS does not know', async () => {
    sqs
      .on(DeleteMessageBatchCommand)
      .resolvesOnce({ Failed: [failed('1'), failed('2', true)] })
      .resolves({})
    await someQueues().queues.delete(['a', 'b', 'c'].map((body) => received('q', body)))
    const deleted = sqs
      .commandCalls(DeleteMessageBatchCommand)
      .map(({ args }) => args[0].input.Entries?.map((one) => one.ReceiptHandle))
    expect(deleted).toEqual([['a', 'b', 'c'], ['b']])
  })

  it('settles each message in its own queue, ten at a time', async () => {
    sqs.on(DeleteMessageBatchCommand).resolves({})
    const many = Array.from({ length: 12 }, (_, at) => received('high', String(at)))
    await someQueues().queues.delete([...many, received('low', 'x')])
    const calls = sqs.commandCalls(DeleteMessageBatchCommand).map(({ args }) => args[0].input)
    expect(calls.map(({ QueueUrl, Entries }) => [QueueUrl, Entries?.length])).toEqual([
      [urlOf('dev-high'), 10],
      [urlOf('dev-high'), 2],
      [urlOf('dev-low'), 1],
    ])
  })
})

describe('receiving', () => {
  const waiting: Record<string, string[]> = {}
  /** Answers from `waiting`, and only to polls that wait when `patient`. */
  const serve = ({ patient = false } = {}): void => {
    sqs.on(ReceiveMessageCommand).callsFake(({ QueueUrl, MaxNumberOfMessages, WaitTimeSeconds }) => ({
      Messages:
        patient && WaitTimeSeconds === 0
          ? []
          : (waiting[QueueUrl.split('/').at(-1)] ?? []).splice(0, MaxNumberOfMessages).map(message),
    }))
    sqs.on(ChangeMessageVisibilityBatchCommand).resolves({})
  }
  const polls = () => sqs.commandCalls(ReceiveMessageCommand).map(({ args }) => args[0].input)
  const given = (): string[] =>
    sqs
      .commandCalls(ChangeMessageVisibilityBatchCommand)
      .flatMap(({ args }) => args[0].input.Entries ?? [])
      .filter(({ VisibilityTimeout }) => VisibilityTimeout === 0)
      .map(({ ReceiptHandle = '' }) => ReceiptHandle)
  const queues = ['high', 'low']

  it('takes what waits from the highest lane, and never receives what it does not take', async () => {
    Object.assign(waiting, { 'dev-high': ['h1', 'h2'], 'dev-low': ['l1', 'l2'] })
    serve()
    const taken = await someQueues().queues.receive({ queues, max: 3, waitSeconds: 5 })
    expect(taken.map(({ body }) => body)).toEqual(['h1', 'h2', 'l1'])
    expect(waiting['dev-low']).toEqual(['l2'])
    expect(given()).toEqual([])
  })

  it('leaves the last places to the highest lane', async () => {
    Object.assign(waiting, { 'dev-high': ['h1'], 'dev-low': ['l1', 'l2', 'l3'] })
    serve()
    const taken = await someQueues().queues.receive({ queues, max: 4, room: [4, 2], waitSeconds: 0 })
    expect(taken.map(({ body }) => body)).toEqual(['h1', 'l1'])
    serve({ patient: true })
    Object.assign(waiting, { 'dev-high': ['h2'], 'dev-low': ['l2'] })
    const later = await someQueues().queues.receive({ queues, max: 1, room: [1, 0], waitSeconds: 2 })
    expect(later.map(({ body }) => body)).toEqual(['h2'])
    expect(waiting['dev-low']).toEqual(['l2'])
  })

  it('looks at the lower lane first once in so many, and keeps what has waited too long there', async () => {
    Object.assign(waiting, { 'dev-high': Array.from({ length: 20 }, (_, at) => `h${at}`), 'dev-low': ['l1', 'l2'] })
    serve()
    const { queues: ours } = someQueues()
    const order: string[] = []
    const aging = { afterSeconds: 30, oneIn: 3 }
    for (let at = 0; at < 6; at++)
      order.push(...(await ours.receive({ queues, max: 1, waitSeconds: 0, aging })).map(({ body }) => body))
    expect(order).toEqual(['h0', 'h1', 'l1', 'h2', 'h3', 'l2'])
  })

  it('gives back what it looked at there and is not due', async () => {
    Object.assign(waiting, { 'dev-high': ['h1', 'h2', 'h3'], 'dev-low': ['l1'] })
    serve()
    const { queues: ours } = someQueues()
    const aging = { afterSeconds: 1e12, oneIn: 2 }
    for (let at = 0; at < 2; at++) await ours.receive({ queues, max: 1, waitSeconds: 0, aging })
    expect(given()).toEqual(['l1'])
  })

  it('fills a large receive from many small ones', async () => {
    Object.assign(waiting, { 'dev-high': Array.from({ length: 37 }, (_, at) => `h${at}`) })
    serve()
    expect(await someQueues().queues.receive({ queues: ['high'], max: 100, waitSeconds: 0 })).toHaveLength(37)
  })

  it('waits on all lanes at once, keeps the highest and gives the rest back', async () => {
    Object.assign(waiting, { 'dev-high': ['h1'], 'dev-low': ['l1', 'l2'] })
    serve({ patient: true })
    const taken = await someQueues().queues.receive({ queues, max: 2, waitSeconds: 5 })
    expect(taken.map(({ body }) => body)).toEqual(['h1', 'l1'])
    expect(given()).toEqual(['l2'])
  })

  it('waits long on one lane that nobody may give up, and a second where somebody may', async () => {
    serve()
    const { queues: ours, clock } = someQueues()
    sqs.on(ReceiveMessageCommand).callsFake(async ({ WaitTimeSeconds }) => {
      await clock.sleep(WaitTimeSeconds * 1000)
      return {}
    })
    await ours.receive({ queues: ['high'], max: 1, waitSeconds: 25 })
    expect(polls().map(({ WaitTimeSeconds }) => WaitTimeSeconds)).toEqual([0, 20, 5])
    sqs.resetHistory()
    await ours.receive({ queues: ['high'], max: 1, waitSeconds: 2, signal: new AbortController().signal })
    expect(polls().map(({ WaitTimeSeconds }) => WaitTimeSeconds)).toEqual([0, 1, 1])
  })

  it('answers at once who gives up, and gives back what the poll still brings', async () => {
    serve()
    const poll = Promise.withResolvers<{ Messages: ReturnType<typeof message>[] }>()
    sqs.on(ReceiveMessageCommand).callsFake(({ WaitTimeSeconds }) => (WaitTimeSeconds === 0 ? {} : poll.promise))
    const controller = new AbortController()
    const receiving = someQueues().queues.receive({
      queues: ['high'],
      max: 1,
      waitSeconds: 20,
      signal: controller.signal,
    })
    await eventually(() => expect(polls()).toHaveLength(2))
    controller.abort()
    expect(await receiving).toEqual([])
    poll.resolve({ Messages: [message('late')] })
    await eventually(() => expect(given()).toEqual(['late']))
  })

  it('keeps what one lane brought when another one fails, and fails when none brought anything', async () => {
    serve()
    const fail = sdkError('ServiceUnavailable', { status: 503 })
    const answer = (high: string[]) =>
      sqs.on(ReceiveMessageCommand).callsFake(({ QueueUrl, WaitTimeSeconds }) => {
        if (WaitTimeSeconds === 0) return {}
        if (QueueUrl.endsWith('low')) throw fail
        return { Messages: high.map(message) }
      })
    answer(['h1'])
    expect(await someQueues().queues.receive({ queues, max: 2, waitSeconds: 5 })).toMatchObject([{ body: 'h1' }])
    answer([])
    await expect(someQueues().queues.receive({ queues, max: 2, waitSeconds: 5 })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    })
  })
})
