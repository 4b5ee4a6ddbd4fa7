import type { OperationOf } from '#shared/contracts/operations.ts'
import type { DeadLetterResponse, QueueResponse, ReceivedMessages } from '#shared/contracts/queues.ts'
import type { Inbox, Letter } from '#shared/domain/inboxes/letter.ts'
import { countLetters, listDeadLetters } from '#shared/domain/inboxes/letter-store.ts'
import { type Delivered, receiveLetters } from '#shared/domain/inboxes/receive-letters.ts'
import { acknowledgeLetters, extendLetters, reviveLetters } from '#shared/domain/inboxes/settle-letters.ts'
import { toCloudEvent } from '#shared/domain/messages/envelope.ts'
import { deleteQueue, makeQueue } from '#shared/domain/queues/change-queue.ts'
import { inboxOf, type Queue } from '#shared/domain/queues/queue.ts'
import { getQueue, listQueues } from '#shared/domain/queues/queue-store.ts'
import { ifMatch, iso, preferWait, toETag } from '../../headers.ts'
import type { Call, Context, Handler } from '../../operation.ts'

const toQueue = (queue: Queue, depth?: QueueResponse['depth']): QueueResponse => {
  const { name, visibilitySeconds, maxReceives, description, createdAt } = queue
  return {
    name,
    visibilitySeconds,
    maxReceives,
    ...(description !== undefined && { description }),
    ...(depth && { depth }),
    createdAt: iso(createdAt),
  }
}

const toReceived = ({ letter, event }: Delivered): ReceivedMessages['messages'][number] => ({
  receipt: letter.receipt ?? '',
  receives: letter.receives,
  visibleAt: iso(letter.visibleAt),
  message: event,
})

const toDeadLetter = (letter: Letter): DeadLetterResponse => {
  const { id, receives, reason = { code: 'RECEIVES', message: '' }, createdAt } = letter
  const { data: _, ...message } = toCloudEvent(letter, null)
  return { id, receives, reason, message, createdAt: iso(createdAt) }
}

/** The messages of the queue that the path names. */
const inboxIn = async ({ platform }: Context, { caller, params }: Pick<Call, 'caller' | 'params'>): Promise<Inbox> =>
  inboxOf((await getQueue(platform, caller.tenant, params.queue ?? '')).value)

const create: Handler<OperationOf<'createQueue'>> = async ({ platform }, { caller, body }) => {
  const queue = await makeQueue(platform, caller, body)
  return { status: 201, body: toQueue(queue), headers: { location: `/api/v2/queues/${queue.name}` } }
}

const list: Handler<OperationOf<'listQueues'>> = async ({ platform }, { caller, query }) => {
  const page = await listQueues(platform, caller.tenant, query)
  return {
    status: 200,
    body: { items: page.items.map(({ value }) => toQueue(value)), nextCursor: page.cursor ?? null },
  }
}

const get: Handler<OperationOf<'getQueue'>> = async ({ platform }, { caller, params }) => {
  const { value, rev } = await getQueue(platform, caller.tenant, params.queue ?? '')
  const body = toQueue(value, await countLetters(platform, inboxOf(value)))
  return { status: 200, body, headers: { etag: toETag(rev) } }
}

const remove: Handler<OperationOf<'deleteQueue'>> = async ({ platform }, { caller, params, headers }) => {
  await deleteQueue(platform, caller, params.queue ?? '', ifMatch(headers))
  return { status: 204 }
}

const receive: Handler<OperationOf<'receiveMessages'>> = async (context, call) => {
  const { platform, settings } = context
  const { max, visibilitySeconds } = call.body
  const waitMs = Math.min(preferWait(call.headers), settings.holdSeconds) * 1000
  const visibilityMs = visibilitySeconds && visibilitySeconds * 1000
  const inbox = await inboxIn(context, call)
  const messages = await receiveLetters(platform, inbox, { max, visibilityMs, waitMs, signal: call.signal })
  return { status: 200, body: { messages: messages.map(toReceived) } }
}

const acknowledge: Handler<OperationOf<'acknowledgeMessages'>> = async (context, call) => {
  const inbox = await inboxIn(context, call)
  return { status: 200, body: { items: await acknowledgeLetters(context.platform, inbox, call.body.receipts) } }
}

const extend: Handler<OperationOf<'extendMessages'>> = async (context, call) => {
  const { receipts, visibilitySeconds } = call.body
  const items = await extendLetters(context.platform, await inboxIn(context, call), receipts, visibilitySeconds * 1000)
  return { status: 200, body: { items } }
}

const deadLetters: Handler<OperationOf<'listDeadLetters'>> = async (context, call) => {
  const page = await listDeadLetters(context.platform, await inboxIn(context, call), call.query)
  return {
    status: 200,
    body: { items: page.items.map(({ value }) => toDeadLetter(value)), nextCursor: page.cursor ?? null },
  }
}

const redrive: Handler<OperationOf<'redriveQueue'>> = async (context, call) => {
  const redriven = await reviveLetters(context.platform, await inboxIn(context, call), call.body.limit)
  return { status: 202, body: { redriven } }
}

export const queueHandlers = {
  createQueue: create,
  listQueues: list,
  getQueue: get,
  deleteQueue: remove,
  receiveMessages: receive,
  acknowledgeMessages: acknowledge,
  extendMessages: extend,
  listDeadLetters: deadLetters,
  redriveQueue: redrive,
}
