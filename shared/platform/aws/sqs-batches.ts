import {
  type BatchResultErrorEntry,
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  SendMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import type { QueueMessage, Received } from '../platform.ts'
import { PlatformError } from '../platform-error.ts'
import { translated } from './aws-error.ts'
import { chunks, type Timing, untilNoneIsLeft } from './back-off.ts'
import type { SqsAddresses } from './sqs-addresses.ts'
import { sqsGroup } from './sqs-name.ts'
import type { SqsTurns } from './sqs-turns.ts'

export const batchSize = 10

export type SqsContext = Timing & { client: SQSClient; addresses: SqsAddresses; turns: SqsTurns }

type Failed = BatchResultErrorEntry[] | undefined

/** Entries are told apart by their position in the call. */
const failedOf = <T>(items: T[], failed: Failed): T[] => (failed ?? []).flatMap(({ Id }) => items[Number(Id)] ?? [])

/** Calls in batches, again with what SQS could not take. */
const inBatches = async <T>(
  { addresses, clock, random }: SqsContext,
  { queue, items, what }: { queue: string; items: T[]; what: string },
  call: (url: string, batch: T[]) => Promise<T[]>,
): Promise<void> => {
  const left = await Promise.all(
    chunks(items, batchSize).map((batch) =>
      untilNoneIsLeft({ clock, random }, batch, (rest) =>
        addresses.at(queue, (url) => translated(what, () => call(url, rest))),
      ),
    ),
  )
  const count = left.flat().length
  if (count > 0) throw new PlatformError('UNAVAILABLE', `${what}: ${count} of ${items.length} messages were not taken`)
}

const toEntry = ({ body, delaySeconds, group }: QueueMessage, at: number) => ({
  Id: String(at),
  MessageBody: body,
  ...(delaySeconds !== undefined && { DelaySeconds: Math.ceil(delaySeconds) }),
  ...(group !== undefined && { MessageGroupId: sqsGroup(group) }),
})

const refuse = (failed: Failed): void => {
  const fault = failed?.find(({ SenderFault }) => SenderFault)
  if (fault) throw new PlatformError('INVALID', `the queue refused a message: ${fault.Code}: ${fault.Message}`)
}

export const sendAll = (context: SqsContext, queue: string, messages: QueueMessage[]): Promise<void> =>
  inBatches(context, { queue, items: messages, what: 'a send' }, async (QueueUrl, batch) => {
    const Entries = batch.map(toEntry)
    const { Failed } = await context.client.send(new SendMessageBatchCommand({ QueueUrl, Entries }))
    refuse(Failed)
    return failedOf(batch, Failed)
  })

/** A receipt that SQS does not know any more is of a delivery that is over: there is nothing left to do with it. */
const passing = (failed: Failed): Failed => failed?.filter(({ SenderFault }) => !SenderFault)

const byQueue = async (
  context: SqsContext,
  { what, messages }: { what: string; messages: Received[] },
  call: (url: string, batch: Received[]) => Promise<Failed>,
): Promise<void> => {
  const groups = [...Map.groupBy(messages, ({ queue }) => queue)]
  await Promise.all(
    groups.map(([queue, items]) =>
      inBatches(context, { queue, items, what }, async (url, batch) =>
        failedOf(batch, passing(await call(url, batch))),
      ),
    ),
  )
}

export const deleteAll = (context: SqsContext, messages: Received[]): Promise<void> =>
  byQueue(context, { what: 'a delete', messages }, async (QueueUrl, batch) => {
    const Entries = batch.map(({ receipt }, at) => ({ Id: String(at), ReceiptHandle: receipt }))
    return (await context.client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }))).Failed
  })

export const releaseAll = (context: SqsContext, messages: Received[], delaySeconds = 0): Promise<void> =>
  byQueue(context, { what: 'a release', messages }, async (QueueUrl, batch) => {
    const VisibilityTimeout = Math.ceil(delaySeconds)
    const Entries = batch.map(({ receipt }, at) => ({ Id: String(at), ReceiptHandle: receipt, VisibilityTimeout }))
    return (await context.client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }))).Failed
  })
