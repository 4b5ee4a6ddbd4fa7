import { createHash } from 'node:crypto'
import {
  ChangeMessageVisibilityBatchCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type Message,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import type { Clock, QueueMessage, Queues, Random, Received, ReceiveOptions } from '../platform.ts'
import { PlatformError } from '../platform-error.ts'
import { translated } from './aws-error.ts'

type Options = {
  client?: SQSClient
  /** Of every queue's name: permissions are given by it. */
  prefix: string
  clock: Clock
  random: Random
  /** Where messages go that were received too often. */
  deadLetterArn?: string
}

const batchSize = 10
const maxName = 80
const maxReceiveCount = 10
const defaultVisibilitySeconds = 60
const longestPollSeconds = 20

/** A queue's name on SQS: letters, digits, `-` and `_`; what does not fit is told apart by a digest. */
export const sqsName = (prefix: string, queue: string): string => {
  const plain = `${prefix}-${queue.replaceAll(/[^A-Za-z0-9_-]/g, '-')}`
  const faithful = plain.length <= maxName && /^[A-Za-z0-9_-]*$/.test(queue)
  if (faithful) return plain
  const tag = createHash('sha256').update(queue).digest('hex').slice(0, 12)
  return `${plain.slice(0, maxName - 13)}-${tag}`
}

const batches = <T>(items: T[]): T[][] =>
  Array.from({ length: Math.ceil(items.length / batchSize) }, (_, at) =>
    items.slice(at * batchSize, (at + 1) * batchSize),
  )

/** Queues in SQS: standard ones, fair between message groups. */
export const createSqsQueues = ({
  client = new SQSClient({}),
  prefix,
  clock,
  random,
  deadLetterArn,
}: Options): Queues => {
  const urls = new Map<string, Promise<string>>()

  const create = async (queue: string): Promise<string> => {
    const redrive = deadLetterArn && {
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetterArn, maxReceiveCount }),
    }
    const Attributes = {
      ReceiveMessageWaitTimeSeconds: String(longestPollSeconds),
      VisibilityTimeout: String(defaultVisibilitySeconds),
      MessageRetentionPeriod: String(14 * 86_400),
      SqsManagedSseEnabled: 'true',
      ...redrive,
    }
    const command = new CreateQueueCommand({ QueueName: sqsName(prefix, queue), Attributes })
    return (await translated('the creation of a queue', () => client.send(command))).QueueUrl ?? ''
  }
  /** A queue that was not made yet is made by its first use. */
  const lookUp = async (queue: string): Promise<string> => {
    try {
      const found = await translated('a queue', () =>
        client.send(new GetQueueUrlCommand({ QueueName: sqsName(prefix, queue) })),
      )
      return found.QueueUrl ?? ''
    } catch (error) {
      if (error instanceof QueueDoesNotExist || (error as Error).name.includes('NonExistentQueue')) return create(queue)
      throw error
    }
  }
  const urlOf = (queue: string): Promise<string> => {
    const known = urls.get(queue) ?? lookUp(queue)
    urls.set(queue, known)
    known.catch(() => urls.delete(queue))
    return known
  }

  const sendBatch = async (QueueUrl: string, messages: QueueMessage[]): Promise<void> => {
    let left = messages
    for (let round = 0; left.length > 0; round++) {
      if (round > 5) throw new PlatformError('UNAVAILABLE', `${left.length} messages were not accepted by the queue`)
      if (round > 0) await clock.sleep(random.number() * 50 * 2 ** round)
      const Entries = left.map(({ body, delaySeconds, group }, at) => ({
        Id: String(at),
        MessageBody: body,
        ...(delaySeconds !== undefined && { DelaySeconds: Math.ceil(delaySeconds) }),
        ...(group !== undefined && { MessageGroupId: group.replaceAll(/[^\x21-\x7e]/g, '-').slice(0, 128) }),
      }))
      const answer = await translated('a send', () => client.send(new SendMessageBatchCommand({ QueueUrl, Entries })))
      const refused = (answer.Failed ?? []).filter(({ SenderFault }) => SenderFault)
      if (refused.length > 0) throw new PlatformError('INVALID', `the queue refused a message: ${refused[0]?.Message}`)
      const failed = new Set((answer.Failed ?? []).map(({ Id }) => Number(Id)))
      left = left.filter((_, at) => failed.has(at))
    }
  }

  const receiveFrom = async (
    queue: string,
    max: number,
    options: ReceiveOptions,
    waitSeconds: number,
  ): Promise<Received[]> => {
    const command = new ReceiveMessageCommand({
      QueueUrl: await urlOf(queue),
      MaxNumberOfMessages: Math.min(max, batchSize),
      WaitTimeSeconds: Math.floor(Math.min(waitSeconds, longestPollSeconds)),
      VisibilityTimeout: options.visibilitySeconds ?? defaultVisibilitySeconds,
      MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'],
    })
    const answer = await translated('a receive', () => client.send(command, { abortSignal: options.signal }))
    return (answer.Messages ?? []).map((message) => toReceived(queue, message))
  }
  const release = (messages: Received[]): Promise<void> =>
    eachBatch(messages, async (QueueUrl, batch) => {
      const Entries = batch.map(({ receipt }, at) => ({ Id: String(at), ReceiptHandle: receipt, VisibilityTimeout: 0 }))
      await translated('a release', () => client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries })))
    })
  const eachBatch = async (
    messages: Received[],
    act: (url: string, batch: Received[]) => Promise<void>,
  ): Promise<void> => {
    const byQueue = Map.groupBy(messages, ({ queue }) => queue)
    await Promise.all(
      [...byQueue].flatMap(([queue, group]) => batches(group).map(async (batch) => act(await urlOf(queue), batch))),
    )
  }
  /** Keeps the highest and gives the rest back at once. */
  const keepHighest = async (received: Received[], { queues, max }: ReceiveOptions): Promise<Received[]> => {
    const sorted = received.toSorted((a, b) => queues.indexOf(a.queue) - queues.indexOf(b.queue))
    await release(sorted.slice(max))
    return sorted.slice(0, max)
  }
  const poll = async (options: ReceiveOptions, waitSeconds: number): Promise<Received[]> => {
    const aborted = (error: unknown): Received[] => {
      if (options.signal?.aborted) return []
      throw error
    }
    const lanes = await Promise.all(
      options.queues.map((queue) => receiveFrom(queue, options.max, options, waitSeconds).catch(aborted)),
    )
    return keepHighest(lanes.flat(), options)
  }

  return {
    async ensure(queue) {
      await urlOf(queue)
    },
    async send(queue, messages) {
      const url = await urlOf(queue)
      await Promise.all(batches(messages).map((batch) => sendBatch(url, batch)))
    },
    async receive(options) {
      const until = clock.now() + options.waitSeconds * 1000
      for (;;) {
        // A long poll on one queue must not hold back what another one has already: look at all, then wait a little.
        const left = (until - clock.now()) / 1000
        const waitSeconds = options.queues.length === 1 ? left : Math.min(1, left)
        const received = await poll(options, Math.max(0, waitSeconds))
        if (received.length > 0 || options.signal?.aborted || clock.now() >= until) return received
        if (waitSeconds < 1) await clock.sleep(Math.min(100, until - clock.now()))
      }
    },
    delete: (messages) =>
      eachBatch(messages, async (QueueUrl, batch) => {
        const Entries = batch.map(({ receipt }, at) => ({ Id: String(at), ReceiptHandle: receipt }))
        await translated('a delete', () => client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries })))
      }),
    release,
    locate: urlOf,
    async depth(queue) {
      const command = new GetQueueAttributesCommand({
        QueueUrl: await urlOf(queue),
        AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
      })
      const { Attributes = {} } = await translated('the depth of a queue', () => client.send(command))
      return {
        waiting: Number(Attributes.ApproximateNumberOfMessages ?? 0),
        inFlight: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
      }
    },
  }
}

const toReceived = (queue: string, { Body = '', ReceiptHandle = '', Attributes = {} }: Message): Received => ({
  queue,
  body: Body,
  receipt: ReceiptHandle,
  receives: Number(Attributes.ApproximateReceiveCount ?? 1),
  sentAt: Number(Attributes.SentTimestamp ?? 0),
})
