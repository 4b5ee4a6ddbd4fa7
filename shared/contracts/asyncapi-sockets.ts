import type * as z from 'zod'
import { type ClientFrame, clientFrameSchema, type ServerFrame, serverFrameSchema } from './realtime.ts'

type Json = Record<string, unknown>
type Asked = ClientFrame['type']
type Told = ServerFrame['type']

/** `subscribe` of a client is `subscribeFrame`, `subscribed` of the server `subscribedFrame`; `presence` goes both ways. */
const clientName = (type: Asked): string => (type === 'presence' ? 'announceFrame' : `${type}Frame`)
const serverName = (type: Told): string => `${type}Frame`

/** What each frame of a client does, and what answers it, besides `error`. */
const exchanges: Record<Asked, { summary: string; answers: Told[] }> = {
  subscribe: {
    summary: 'Be told of a topic, or of one entity',
    answers: ['subscribed', 'changed', 'message', 'resync'],
  },
  unsubscribe: { summary: 'Be told no more of it', answers: ['unsubscribed'] },
  send: { summary: 'Send a message, or answer a request', answers: ['sent'] },
  request: { summary: 'Send a request, and be told its response', answers: ['sent', 'response', 'unanswered'] },
  receive: { summary: 'Receive messages of a mailbox', answers: ['received', 'mail'] },
  acknowledge: { summary: 'Acknowledge messages of a mailbox', answers: ['acknowledged'] },
  presence: { summary: 'Say what others see of this connection', answers: ['presence'] },
  ping: { summary: 'Keep the connection open', answers: ['pong'] },
}
const asked = Object.keys(exchanges) as Asked[]

/** What a client is told without asking each time. */
const told: Record<Told, string> = {
  subscribed: 'From now on it is told',
  unsubscribed: 'It is told no more',
  changed: 'An entity has this rev, or a later one',
  resync: 'Something may have been missed: read again',
  message: 'A message on a topic, or one that a subscription matched',
  sent: 'A message that was sent is stored',
  response: 'The response to a request',
  unanswered: 'The deadline of a request has passed',
  received: 'How many messages of a mailbox follow',
  mail: 'A message of a mailbox, kept from others for a while',
  acknowledged: 'Messages of a mailbox that are done',
  presence: 'What a connection says of itself, or that it is gone',
  work: 'There is work for an agent',
  pong: 'The answer to a ping',
  error: 'A frame was refused',
}
const tellable = Object.keys(told) as Told[]

const title = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1)
const message = (name: string, summary: string): [string, Json] => [
  name,
  {
    name: title(name),
    title: title(name),
    summary,
    contentType: 'application/json',
    payload: { $ref: `#/components/schemas/${title(name)}` },
  },
]

/** A message for each frame. */
export const frameMessages: Record<string, Json> = Object.fromEntries([
  ...asked.map((type) => message(clientName(type), exchanges[type].summary)),
  ...tellable.map((type) => message(serverName(type), told[type])),
])

type Option = { shape: { type: z.ZodLiteral<string> } }
const byName = <T extends string>(options: readonly unknown[], nameOf: (type: T) => string) =>
  Object.fromEntries(
    options.map((option) => [title(nameOf((option as Option).shape.type.value as T)), option as z.ZodType]),
  )

/** Their schemas: what a client may write, and what it is told. */
export const clientFrames: Record<string, z.ZodType> = byName(clientFrameSchema.options, clientName)
export const serverFrames: Record<string, z.ZodType> = byName(serverFrameSchema.options, serverName)

const inChannel = (names: string[]): Json[] => names.map((name) => ({ $ref: `#/channels/socket/messages/${name}` }))

export const socketServer: Json = {
  host: '127.0.0.1:8787',
  protocol: 'ws',
  description: 'The embedded server; on AWS the SocketUrl of the deployment, by wss',
}

export const socketChannel: Json = {
  address: '/api/v2/ws',
  description: 'Opened with a key in the Authorization header, or a ticket of `POST /api/v2/ws/ticket` in the address.',
  servers: [{ $ref: '#/servers/sockets' }],
  messages: Object.fromEntries(
    Object.keys(frameMessages).map((name) => [name, { $ref: `#/components/messages/${name}` }]),
  ),
  bindings: {
    ws: {
      method: 'GET',
      query: { type: 'object', properties: { ticket: { type: 'string', description: 'Good for one connection.' } } },
      bindingVersion: '0.1.0',
    },
  },
}

const exchange = (type: Asked): [string, Json] => [
  `socket${title(type)}`,
  {
    action: 'receive',
    channel: { $ref: '#/channels/socket' },
    summary: exchanges[type].summary,
    messages: inChannel([clientName(type)]),
    reply: {
      channel: { $ref: '#/channels/socket' },
      messages: inChannel([...exchanges[type].answers, 'error' as const].map(serverName)),
    },
  },
]

/** Each frame of a client with its answers, and what a client is told. */
export const socketOperations: Record<string, Json> = {
  ...Object.fromEntries(asked.map(exchange)),
  tellSocket: {
    action: 'send',
    channel: { $ref: '#/channels/socket' },
    summary: 'Tell whoever watches',
    messages: inChannel(tellable.map(serverName)),
  },
}
