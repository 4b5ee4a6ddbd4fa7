import { authorize } from '#functions/api/authorize.ts'
import { mailboxHandlers } from '#functions/api/routes/v2/mailboxes.ts'
import { messageHandlers } from '#functions/api/routes/v2/messages.ts'
import type { MailPage } from '#shared/contracts/mailboxes.ts'
import { type OperationId, operations } from '#shared/contracts/operations.ts'
import type { ClientFrame, watchTopics } from '#shared/contracts/realtime.ts'
import { DomainError, type FieldError } from '#shared/domain/domain-error.ts'
import { ownerOfMailbox } from '#shared/domain/messages/mailbox.ts'
import { announce } from '#shared/domain/realtime/announce.ts'
import type { Connection } from '#shared/domain/realtime/connection.ts'
import type { ServerFrame } from '#shared/domain/realtime/frame.ts'
import { isMatchTopic } from '#shared/domain/realtime/match-topic.ts'
import { isMessageTopic } from '#shared/domain/realtime/message-topic.ts'
import { awaitResponse } from '#shared/domain/realtime/response-topic.ts'
import { subscribe, unsubscribe } from '#shared/domain/realtime/subscribe.ts'
import { requireRoomToWatch } from '#shared/domain/realtime/watch.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { callAs } from './call.ts'

type FrameOf<T extends ClientFrame['type']> = Extract<ClientFrame, { type: T }>
export type Answer<T extends ClientFrame['type']> = (
  platform: Platform,
  connection: Connection,
  frame: FrameOf<T>,
) => Promise<ServerFrame[]>

/** Whoever may read one of them may watch them; messages whoever may subscribe to them. */
const readBy: Record<(typeof watchTopics)[number], OperationId> = {
  tasks: 'getTask',
  agents: 'getAgent',
  instances: 'listInstances',
  approvals: 'getApproval',
  runs: 'getRun',
  schedules: 'getSchedule',
  sent: 'listMessages',
  work: 'leaseTasks',
  messages: 'receiveMail',
  presence: 'listPresence',
}

const readerOf = (topic: FrameOf<'subscribe'>['topic']): OperationId => {
  if (isMatchTopic(topic)) return 'listMatches'
  return isMessageTopic(topic) ? 'createSubscription' : readBy[topic]
}

const { sendMessage, receiveMail, acknowledgeMail } = operations
const sending = { operation: sendMessage, handler: messageHandlers.sendMessage }
const receiving = { operation: receiveMail, handler: mailboxHandlers.receiveMail }
const acknowledging = { operation: acknowledgeMail, handler: mailboxHandlers.acknowledgeMail }

/** Where in a frame a field is that was refused of the message in it. */
const inFrame = ({ pointer, ...error }: FieldError): FieldError => ({
  ...error,
  pointer: pointer === '#/headers/Idempotency-Key' ? '#/key' : pointer.replace('#', '#/message'),
})

const sendFrame = async (
  platform: Platform,
  connection: Connection,
  given: Parameters<typeof callAs<typeof sendMessage>>[3],
): Promise<unknown> => {
  try {
    return await callAs(platform, connection, sending, given)
  } catch (error) {
    if (!(error instanceof DomainError) || error.errors === undefined) throw error
    throw new DomainError(error.code, error.message, error.errors.map(inFrame))
  }
}

/** What each frame of a client does. The first of its answers carries the frame's `ref`. */
export const answers: { [T in ClientFrame['type']]: Answer<T> } = {
  async subscribe(platform, connection, frame) {
    authorize(connection, operations[readerOf(frame.topic)], {})
    const caller = { ...connection, requestId: connection.id }
    if (frame.topic === 'messages' && frame.id !== undefined) await ownerOfMailbox(platform, caller, frame.id)
    return subscribe(platform, connection, frame)
  },
  unsubscribe: (platform, connection, { topic, id }) =>
    unsubscribe(platform, connection, { topic, ...(id !== undefined && { id }) }),
  async send(platform, connection, { message, key }) {
    return [{ type: 'sent', message: await sendFrame(platform, connection, { body: message, key }) }]
  },
  async request(platform, connection, { message, key, ref }) {
    requireRoomToWatch(connection) // what nobody waits for is not asked
    const body = { ...message, kind: 'request' as const }
    const sent = (await sendFrame(platform, connection, { body, key })) as { id: string }
    return [{ type: 'sent', message: sent }, ...(await awaitResponse(platform, connection, { request: sent.id, ref }))]
  },
  async receive(platform, connection, { agent, max, visibilitySeconds }) {
    const given = { params: { agent }, query: { max, visibilitySeconds } }
    const { items } = (await callAs(platform, connection, receiving, given)) as MailPage
    return [
      { type: 'received', agent, count: items.length },
      ...items.map((item) => ({ type: 'mail' as const, agent, ...item })),
    ]
  },
  async acknowledge(platform, connection, { agent, ids, upTo }) {
    const given = { params: { agent }, body: { ids, upTo } }
    const { acknowledged } = (await callAs(platform, connection, acknowledging, given)) as { acknowledged: string[] }
    return [{ type: 'acknowledged', agent, ids: acknowledged }]
  },
  async presence(platform, connection, { status }) {
    authorize(connection, operations.listPresence, {})
    return [await announce(platform, connection, status)]
  },
  ping: async () => [{ type: 'pong' }],
}
