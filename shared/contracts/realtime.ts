import * as z from 'zod'
import type { ServerFrame } from '#shared/domain/realtime/frame.ts'
import { presenceTopic } from '#shared/domain/realtime/presence.ts'
import { agentTopics, type EntityTopic, entityTopics, isEntityTopic } from '#shared/domain/realtime/topics.ts'
import { idSchema, isObject, nameSchema, objectRefSchema, pageQuery, pageSchema, timeSchema } from './common.ts'
import { acknowledgeFields, eitherOfThem, mailSchema } from './mailboxes.ts'
import { cloudEventSchema, requestMessageSchema, sendMessageSchema } from './messages.ts'
import { topicSchema } from './topics.ts'

/** The most bytes of a frame that a client sends. */
export const maxFrameBytes = 128 * 1024

export const watchTopics = [...(Object.keys(entityTopics) as EntityTopic[]), ...agentTopics, presenceTopic] as const

/** Comes back in the answer. */
const ref = z.string().min(1).max(100).optional()
const entityTopic = z.enum(watchTopics)
/** `topic/builds`: the messages on the topic `builds`. */
const messageTopic = z
  .templateLiteral(['topic/', topicSchema])
  .refine((name) => name.length <= 206, { error: 'the name of a topic has 200 characters at most' })
/** `subscription/sub_…`: the messages that it matched. */
const matchTopic = z.templateLiteral(['subscription/', idSchema('sub')])
const topic = z.union([entityTopic, messageTopic, matchTopic], {
  error: `expected ${watchTopics.join(', ')}, topic/NAME for the messages of a topic, or subscription/ID for what it matched`,
})
const rev = z.string().min(1).max(100)
const id = z.string().min(1).max(100)

const prefixOf = (name: string): string => (isEntityTopic(name) ? entityTopics[name].prefix : 'agt')
const fits = ({ topic: name, id: of }: { topic: string; id?: string }): boolean =>
  of === undefined || name.includes('/') || new RegExp(`^${prefixOf(name)}_[0-9A-HJKMNP-TV-Z]{26}$`).test(of)

const idRule = {
  path: ['id'],
  error: ({ input }: { input: unknown }) =>
    `expected an id of this topic: ${prefixOf((input as { topic: string }).topic)}_ and 26 digits and capital letters`,
  when: ({ value }: { value: unknown }) => isObject(value) && typeof value.id === 'string',
}

const subscribeSchema = z
  .strictObject({ type: z.literal('subscribe'), topic, id: id.optional(), since: rev.optional(), ref })
  .refine(fits, idRule)
const unsubscribeSchema = z
  .strictObject({ type: z.literal('unsubscribe'), topic, id: id.optional(), ref })
  .refine(fits, idRule)
const sendSchema = z.strictObject({
  type: z.literal('send'),
  message: sendMessageSchema,
  /** The same key and message again are the same message. */
  key: z.string().min(1).max(255).optional(),
  ref,
})
const requestSchema = z.strictObject({
  type: z.literal('request'),
  message: requestMessageSchema,
  /** The same key and message again are the same request. */
  key: z.string().min(1).max(255).optional(),
  ref,
})
const receiveSchema = z.strictObject({
  type: z.literal('receive'),
  /** Whose mailbox it is, by name or id. */
  agent: nameSchema,
  max: z.int().min(1).max(100).default(10),
  /** How long they are kept from others unless they are acknowledged. */
  visibilitySeconds: z.int().min(1).max(43_200).default(30),
  ref,
})
const acknowledgeSchema = z
  .strictObject({ type: z.literal('acknowledge'), agent: nameSchema, ...acknowledgeFields, ref })
  .refine(eitherOfThem.is, { message: eitherOfThem.message, path: ['ids'] })
const presenceSchema = z.strictObject({
  type: z.literal('presence'),
  /** What others see of this connection; `null`: nothing more. */
  status: z.string().min(1).max(200).nullable(),
  ref,
})
const pingSchema = z.strictObject({ type: z.literal('ping'), ref })

/** Everything that a client of a socket sends. */
export const clientFrameSchema = z.discriminatedUnion('type', [
  subscribeSchema,
  unsubscribeSchema,
  sendSchema,
  requestSchema,
  receiveSchema,
  acknowledgeSchema,
  presenceSchema,
  pingSchema,
])
export type ClientFrame = z.output<typeof clientFrameSchema>

const fieldErrorSchema = z.object({ pointer: z.string(), code: z.string(), message: z.string() })

const present = {
  connection: z.string(),
  /** As the source of what it sends: `/agents/NAME`, `/keys/key_…`. */
  who: z.string(),
  since: timeSchema,
}
const shownMessage = { message: cloudEventSchema, dataRef: objectRefSchema.optional() }

/** Everything that a client of a socket is sent; more kinds may follow. */
export const serverFrameSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('changed'), topic: z.string(), id: z.string(), rev: z.string() }),
  z.object({ type: z.literal('resync'), topic: z.string().optional(), id: z.string().optional() }),
  z.object({ type: z.literal('subscribed'), topic: z.string(), id: z.string().optional(), rev: z.string(), ref }),
  z.object({ type: z.literal('unsubscribed'), topic: z.string(), id: z.string().optional(), ref }),
  z.object({ type: z.literal('message'), topic: z.string(), seq: z.string(), ...shownMessage }),
  z.object({ type: z.literal('sent'), message: z.unknown(), ref }),
  z.object({ type: z.literal('response'), request: z.string(), ...shownMessage, ref }),
  z.object({ type: z.literal('unanswered'), request: z.string(), ref }),
  z.object({ type: z.literal('received'), agent: z.string(), count: z.int(), ref }),
  z.object({ type: z.literal('mail'), agent: z.string(), ...mailSchema.shape }),
  z.object({ type: z.literal('acknowledged'), agent: z.string(), ids: z.array(z.string()), ref }),
  z.object({ type: z.literal('presence'), ...present, status: z.string().nullable(), ref }),
  z.object({ type: z.literal('work'), agent: z.string() }),
  z.object({ type: z.literal('pong'), ref }),
  z.object({
    type: z.literal('error'),
    code: z.string(),
    message: z.string(),
    pointer: z.string().optional(),
    errors: z.array(fieldErrorSchema).optional(),
    ref,
  }),
]) satisfies z.ZodType<ServerFrame>
export type { ServerFrame }

const presentSchema = z.object({ ...present, status: z.string() }).meta({ id: 'Presence' })
export const presencePageSchema = pageSchema(presentSchema).meta({ id: 'PresencePage' })
export const listPresenceQuery = z.strictObject(pageQuery)

export const ticketSchema = z
  .object({
    ticket: z.string().meta({ description: 'Good for one connection.' }),
    expiresIn: z.int().meta({ description: 'Seconds.' }),
    url: z.url().meta({ description: 'Where to connect, with the ticket in it.' }),
  })
  .meta({ id: 'SocketTicket' })
export type TicketResponse = z.output<typeof ticketSchema>
