import { type Message, ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import type { Received, ReceiveOptions } from '../platform.ts'
import { translated } from './aws-error.ts'
import { defaultVisibilitySeconds } from './sqs-addresses.ts'
import { batchSize, releaseAll, type SqsContext } from './sqs-batches.ts'

const longestPollSeconds = 20
/**
 * A poll must be left to end by itself: what SQS hands out to a connection that was cut is gone for its whole
 * visibility time. Where one of several lanes, or a caller who gives up, would have to wait for that, it is short.
 */
const shortPollSeconds = 1
const pauseMs = 250

const toReceived = (queue: string, { Body = '', ReceiptHandle = '', Attributes = {} }: Message): Received => ({
  queue,
  body: Body,
  receipt: ReceiptHandle,
  receives: Number(Attributes.ApproximateReceiveCount ?? 1),
  sentAt: Number(Attributes.SentTimestamp ?? 0),
})

type Poll = { queue: string; max: number; waitSeconds: number; visibilitySeconds?: number }

const pollOnce = async ({ client, addresses }: SqsContext, poll: Poll): Promise<Received[]> => {
  const { queue, max, waitSeconds, visibilitySeconds = defaultVisibilitySeconds } = poll
  const command = (QueueUrl: string) =>
    new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: Math.min(max, batchSize),
      WaitTimeSeconds: waitSeconds,
      VisibilityTimeout: visibilitySeconds,
      MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'],
    })
  const answer = await addresses.at(queue, (url) => translated('a receive', () => client.send(command(url))))
  return (answer.Messages ?? []).map((message) => toReceived(queue, message))
}

/** How many of a lane may be received when so many were. */
const roomIn = ({ room, max }: ReceiveOptions, lane: number, taken: number): number => (room?.[lane] ?? max) - taken

/** What waits already: the highest lane first, and never more than is taken. */
const takeWaiting = async (context: SqsContext, options: ReceiveOptions): Promise<Received[]> => {
  const { queues, visibilitySeconds } = options
  const overdue = await takeOverdue(context, options)
  const received = [...overdue]
  try {
    for (const [lane, queue] of queues.entries())
      for (let full = true; full && roomIn(options, lane, received.length) > 0; ) {
        const room = Math.min(roomIn(options, lane, received.length), batchSize)
        const batch = await pollOnce(context, { queue, max: room, waitSeconds: 0, visibilitySeconds })
        received.push(...batch)
        full = batch.length === room
      }
  } catch (error) {
    if (received.length === 0) throw error
  }
  context.turns.count(options, received.length - overdue.length)
  return received
}

/** Now and then the lower lanes are looked at first: what has waited too long there is kept. */
const takeOverdue = async (context: SqsContext, options: ReceiveOptions): Promise<Received[]> => {
  const { queues, visibilitySeconds, aging } = options
  if (aging === undefined || !context.turns.isDue(options)) return []
  const before = context.clock.now() - aging.afterSeconds * 1000
  for (const queue of queues.slice(1).toReversed()) {
    const received = await pollOnce(context, { queue, max: 1, waitSeconds: 0, visibilitySeconds })
    if (received.some(({ sentAt }) => sentAt <= before)) return received
    if (received.length > 0) await releaseAll(context, received)
  }
  return []
}

/** Waits on all lanes at once, keeps the highest of what came and gives the rest back. */
const pollAll = async (context: SqsContext, options: ReceiveOptions, waitSeconds: number): Promise<Received[]> => {
  const { queues, visibilitySeconds } = options
  const open = queues.map((queue, lane) => ({ queue, room: roomIn(options, lane, 0) })).filter(({ room }) => room > 0)
  const polls = await Promise.allSettled(
    open.map(({ queue, room }) => pollOnce(context, { queue, max: room, waitSeconds, visibilitySeconds })),
  )
  const failed = polls.find((poll) => poll.status === 'rejected')
  const kept: Received[] = []
  const others: Received[] = []
  for (const [at, poll] of polls.entries())
    for (const one of poll.status === 'fulfilled' ? poll.value : [])
      (kept.length < (open[at]?.room ?? 0) ? kept : others).push(one)
  if (kept.length === 0 && failed) throw failed.reason
  if (others.length > 0) await releaseAll(context, others)
  context.turns.count(options, kept.length)
  return kept
}

/** `undefined` as soon as the caller gives up; what the poll brings after that is given back. */
const unlessGivenUp = async (
  context: SqsContext,
  poll: Promise<Received[]>,
  signal: AbortSignal | undefined,
): Promise<Received[]> => {
  if (signal === undefined) return poll
  const { promise: givenUp, resolve } = Promise.withResolvers<undefined>()
  const giveUp = (): void => resolve(undefined)
  signal.addEventListener('abort', giveUp)
  const received = await Promise.race([poll, givenUp]).finally(() => signal.removeEventListener('abort', giveUp))
  if (received === undefined) poll.then((late) => releaseAll(context, late)).catch(() => undefined)
  return received ?? []
}

/** As soon as there is something, or empty when the time is over or the caller gave up. */
export const receiveFrom = async (context: SqsContext, options: ReceiveOptions): Promise<Received[]> => {
  const { queues, waitSeconds, signal } = options
  if (signal?.aborted) return []
  const longest = signal === undefined && queues.length === 1 ? longestPollSeconds : shortPollSeconds
  const until = context.clock.now() + waitSeconds * 1000
  let received = await takeWaiting(context, options)
  for (;;) {
    const left = until - context.clock.now()
    if (received.length > 0 || left <= 0 || signal?.aborted) return received
    const seconds = Math.min(Math.round(left / 1000), longest)
    received = await unlessGivenUp(context, waitOnce(context, options, { seconds, left }), signal)
  }
}

/** SQS counts whole seconds; what is left of a shorter wait is slept and looked at again. */
const waitOnce = async (
  context: SqsContext,
  options: ReceiveOptions,
  { seconds, left }: { seconds: number; left: number },
): Promise<Received[]> => {
  if (seconds > 0) return pollAll(context, options, seconds)
  await context.clock.sleep(Math.min(left, pauseMs))
  return takeWaiting(context, options)
}
