import * as z from 'zod'
import { fullType, publicEventTypes } from '#shared/domain/webhooks/event-types.ts'
import {
  clientFrames,
  frameMessages,
  serverFrames,
  socketChannel,
  socketOperations,
  socketServer,
} from './asyncapi-sockets.ts'
import { nameSchema } from './common.ts'
import { messageExamples } from './examples/messages.ts'
import { topicExamples } from './examples/topics.ts'
import { hookBodySchema } from './hooks.ts'
import { cloudEventSchema, sendMessageSchema } from './messages.ts'
import { receivedSchema } from './queues.ts'
import { topicSchema } from './topics.ts'

type Json = Record<string, unknown>

/** A field of the name `$ref` is one of ours, which tools of AsyncAPI take for a reference where `properties` has it. */
const withoutRefFields = (key: string, value: unknown): unknown => {
  if (key !== '' && typeof value === 'object' && value !== null && 'properties' in value) {
    const { properties, ...rest } = value as { properties: Json }
    const { $ref, ...others } = properties
    if (typeof $ref === 'object') return { ...rest, properties: others, patternProperties: { '^\\$ref$': $ref } }
  }
  return value
}

/** Schemas with those that they name, as AsyncAPI 3 takes them: JSON Schema 7, below `components`. */
const toSchemas = (schemas: Record<string, z.ZodType>, io: 'input' | 'output' = 'output'): Record<string, Json> => {
  const all = Object.entries(schemas).flatMap(([name, schema]): [string, Json][] => {
    const json = z.toJSONSchema(schema, { target: 'draft-7', unrepresentable: 'any', io }) as Json
    const text = JSON.stringify(json, withoutRefFields).replaceAll('#/definitions/', '#/components/schemas/')
    const { $schema: _, definitions = {}, ...root } = JSON.parse(text) as Json & { definitions?: Record<string, Json> }
    return [...('$ref' in root ? [] : [[name, root] as [string, Json]]), ...Object.entries(definitions)]
  })
  return Object.fromEntries(all.map(([name, { id: _, ...json }]) => [name, json]))
}

const parameter = (description: string, schema: z.ZodType): Json => ({
  description: `${description}: ${String(z.toJSONSchema(schema).pattern ?? 'text')}.`,
})

const message = (title: string, summary: string, payload: Json, more: Json = {}): Json => ({
  name: title,
  title,
  summary,
  contentType: 'application/json',
  payload,
  ...more,
})

const example = (payload: unknown): Json => ({ examples: [{ payload }] })

/** One message for each event that webhooks and the bus are told of. */
const publicMessages: Record<string, Json> = Object.fromEntries(
  publicEventTypes.map((type) => [
    type.replace('.', '-'),
    {
      name: fullType(type),
      title: type,
      summary: `An event of type ${fullType(type)}.`,
      contentType: 'application/cloudevents+json',
      payload: {
        allOf: [
          { $ref: '#/components/schemas/CloudEvent' },
          { type: 'object', properties: { type: { const: fullType(type) }, source: { const: 'io.devcycle' } } },
        ],
      },
    },
  ]),
)

const messages: Record<string, Json> = {
  sendMessage: message(
    'SendMessage',
    'What `POST /api/v2/messages` takes.',
    { $ref: '#/components/schemas/SendMessage' },
    example(messageExamples.sendMessage.body),
  ),
  cloudEvent: message('CloudEvent', 'A message as its receivers get it.', { $ref: '#/components/schemas/CloudEvent' }),
  receivedMessages: message(
    'ReceivedMessages',
    'What `POST /api/v2/queues/{queue}/receive` answers.',
    { $ref: '#/components/schemas/ReceivedMessages' },
    example(messageExamples.receiveMessages.answer),
  ),
  hookBody: message(
    'HookBody',
    'What another system posts and signs.',
    { $ref: '#/components/schemas/HookBody' },
    example(topicExamples.receiveHook.body),
  ),
  ...publicMessages,
  ...frameMessages,
}

const ref = (path: string): Json => ({ $ref: `#/${path}` })
const refs = (...names: string[]): Record<string, Json> =>
  Object.fromEntries(names.map((name) => [name, ref(`components/messages/${name}`)]))
const publicNames = Object.keys(publicMessages)

const channels: Record<string, Json> = {
  topic: {
    address: 'topics/{topic}',
    description: 'Every subscription that a message matches gets it, each once. Kept for a day for replays.',
    parameters: { topic: parameter('Name of the topic', topicSchema) },
    messages: refs('sendMessage', 'cloudEvent'),
  },
  queue: {
    address: 'queues/{queue}',
    description: 'Each message goes to one of those who receive, until it is acknowledged.',
    parameters: { queue: parameter('Name of the queue', nameSchema) },
    messages: refs('sendMessage', 'receivedMessages'),
  },
  hook: {
    address: '/api/v2/hooks/{hook}',
    description: 'Webhooks of other systems, signed by Standard Webhooks or GitHub. Each becomes a message on a topic.',
    parameters: { hook: parameter('Name of the hook', nameSchema) },
    messages: refs('hookBody'),
  },
  webhook: {
    address: null,
    description: 'Addresses that were given in `POST /api/v2/webhooks`, signed by Standard Webhooks.',
    messages: refs(...publicNames, 'cloudEvent'),
  },
  bus: {
    address: null,
    description:
      'The event bus of the deployment (EventBridge): public events, what subscriptions send out, and events in.',
    messages: refs(...publicNames, 'cloudEvent'),
  },
  socket: socketChannel,
}

const operation = (action: 'send' | 'receive', channel: string, summary: string, names: string[]): Json => ({
  action,
  channel: ref(`channels/${channel}`),
  summary,
  messages: names.map((name) => ref(`channels/${channel}/messages/${name}`)),
})
const posted = { bindings: { http: { method: 'POST', bindingVersion: '0.3.0' } } }

const operations: Record<string, Json> = {
  publish: { ...operation('receive', 'topic', 'Publish a message on a topic', ['sendMessage']), ...posted },
  deliver: operation('send', 'topic', 'Give a message to the target of a subscription', ['cloudEvent']),
  enqueue: { ...operation('receive', 'queue', 'Send a message to a queue', ['sendMessage']), ...posted },
  handOut: { ...operation('send', 'queue', 'Hand messages out to a receiver', ['receivedMessages']), ...posted },
  takeHook: { ...operation('receive', 'hook', 'Take a webhook of another system', ['hookBody']), ...posted },
  tellWebhook: { ...operation('send', 'webhook', 'Tell a webhook', [...publicNames, 'cloudEvent']), ...posted },
  tellBus: operation('send', 'bus', 'Tell other systems', [...publicNames, 'cloudEvent']),
  takeEvent: operation('receive', 'bus', 'Take an event as a message on the topic `bus.` and its source', [
    'cloudEvent',
  ]),
  ...socketOperations,
}

/** The AsyncAPI 3 document of all messages, events and webhooks. */
export const asyncApiDocument = (version: string): Json => ({
  asyncapi: '3.0.0',
  info: {
    title: 'DevCycle messages',
    version,
    description: 'Messages, topics, queues, webhooks and sockets of DevCycle. The calls are described in openapi.json.',
    license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
  },
  defaultContentType: 'application/json',
  servers: {
    embedded: { host: '127.0.0.1:8787', protocol: 'http', description: 'The embedded server' },
    sockets: socketServer,
  },
  channels,
  operations,
  components: {
    messages,
    schemas: {
      ...toSchemas({
        CloudEvent: cloudEventSchema,
        ReceivedMessages: receivedSchema,
        HookBody: hookBodySchema,
        ...serverFrames,
      }),
      ...toSchemas({ SendMessage: sendMessageSchema, ...clientFrames }, 'input'),
    },
  },
})
