import * as z from 'zod'
import { attributeText, isAttribute } from '#shared/domain/messages/attribute.ts'
import { messageKinds } from '#shared/domain/messages/envelope.ts'
import { recipientKinds } from '#shared/domain/messages/message.ts'
import { mostHops } from '#shared/domain/topics/topic.ts'
import {
  boundedJson,
  idSchema,
  isObject,
  jsonSchema,
  keySchema,
  labelsSchema,
  nameSchema,
  objectRefSchema,
  pageQuery,
  pageSchema,
  timeSchema,
} from './common.ts'
import { taskSchema } from './tasks.ts'
import { topicSchema } from './topics.ts'

/** A text as CloudEvents has them. */
const attributeSchema = keySchema.refine(isAttribute, `expected ${attributeText}`)
/** https://datatracker.ietf.org/doc/html/rfc3986#section-4.1 */
const uriReference = /^(?:[\w\-.~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/
const sourceText = 'expected a URI-reference, such as /sensors/12 or https://example.com/orders; a space is %20 there'
const sourceSchema = z.string().max(200).regex(uriReference, sourceText)

/** The types of agents, labels that they have, a capability that they offer. */
const agentChoiceSchema = z.strictObject({
  types: z.array(z.string().min(1).max(100)).min(1).max(50).optional(),
  labels: labelsSchema.optional(),
  capability: nameSchema.optional(),
})

export const recipientSchema = z
  .strictObject({
    /** Into its mailbox, by name or id: it need not run. */
    agent: nameSchema.optional(),
    /** Into the mailbox of one agent that offers it. */
    capability: nameSchema.optional(),
    topic: topicSchema.optional(),
    queue: nameSchema.optional(),
    /** Of a broadcast: agents that meet all that is named; `{}`: all agents. */
    filter: agentChoiceSchema.optional(),
  })
  .refine((to) => recipientKinds.filter((kind) => to[kind] !== undefined).length === 1, {
    message: `name exactly one recipient: ${recipientKinds.join(', ')}`,
    when: ({ value }) => isObject(value),
  })

/** What a response and a command have not: the request, or the task, says it. */
const ofMessagesAlone = ['subject', 'source', 'conversation', 'replyTo', 'expiresAt', 'hops'] as const

const requiredOf = {
  event: ['to', 'type'],
  request: ['to', 'type'],
  broadcast: ['to', 'type'],
  workflow: ['to', 'type', 'workflowRun'],
  response: ['correlationId'],
  command: ['to'],
} as const

const messageFields = z.strictObject({
  /** A `command` is a task: it is submitted, and answered as one. */
  kind: z.enum([...messageKinds, 'command']).default('event'),
  to: recipientSchema.optional(),
  /** What happened, in the past tense: `build.finished`; of a request what is wanted. */
  type: attributeSchema.optional(),
  /** Where it comes from. @default the caller */
  source: sourceSchema.optional(),
  /** What it is about. */
  subject: attributeSchema.optional(),
  data: boundedJson(240).optional(),
  /** Messages of one conversation are received in order, each when the one before was acknowledged. */
  conversation: attributeSchema.optional(),
  /** What it has to do with: of a response the request. */
  correlationId: attributeSchema.optional(),
  /** The agent whose mailbox gets the response as well. @default none: it is told with the request */
  replyTo: nameSchema.optional(),
  /** In an inbox it is a dead letter from then on; of a request the deadline. @default in 7 days; of a request in one */
  expiresAt: timeSchema.optional(),
  /** The topics that led to it: a message that goes round is ended. */
  hops: z.array(topicSchema).max(mostHops).optional(),
  /** Of kind `workflow`: the run that it belongs to. Who handles it works for that run. */
  workflowRun: idSchema('run').optional(),
  /** An instance that sends one names the task that it does for the run. */
  task: idSchema('tsk').optional(),
  fence: z.string().min(1).max(100).optional(),
})

const missing = (kind: keyof typeof requiredOf, field: string): string =>
  kind === 'broadcast' && field === 'to'
    ? 'a broadcast goes to {"filter": {"types"?, "labels"?, "capability"?}}; an empty filter is every agent'
    : `a message of kind ${kind} needs one`

export const sendMessageSchema = messageFields.superRefine((message, context) => {
  const { kind } = message
  const refuse = (field: string, text: string) => context.addIssue({ code: 'custom', path: [field], message: text })
  for (const field of requiredOf[kind]) if (message[field] === undefined) refuse(field, missing(kind, field))
  if (kind !== 'workflow')
    for (const field of ['workflowRun', 'task', 'fence'] as const)
      if (message[field] !== undefined) refuse(field, 'a message of kind workflow has one, and no other')
  if (kind === 'response' && message.to !== undefined) refuse('to', 'a response goes to whoever sent the request')
  if (kind !== 'response' && kind !== 'command') return
  for (const field of ofMessagesAlone)
    if (message[field] !== undefined) refuse(field, `a message of kind ${kind} has none of its own`)
  if (kind === 'command' && message.type !== undefined) refuse('type', 'a command is a task, which has no type')
})
export type SendMessage = z.input<typeof sendMessageSchema>

/** What a step of a run sends, as expressions gave it. */
export const stepMessageSchema = z.strictObject({
  to: recipientSchema,
  type: attributeSchema,
  body: boundedJson(240).optional(),
  conversation: attributeSchema.optional(),
})

/** What is wanted of an agent, where nothing else can be sent. */
export const requestMessageSchema = messageFields.omit({ kind: true }).required({ to: true, type: true })

/** Where a message is: in whose mailbox, or in which queue. */
export const letterSchema = z
  .object({
    /** The agent or the queue. */
    inbox: z.string(),
    state: z.enum(['WAITING', 'DONE', 'DEAD']),
    receives: z.int(),
    reason: z.object({ code: z.string(), message: z.string() }).optional(),
    deliveredAt: timeSchema,
    settledAt: timeSchema.optional(),
  })
  .meta({ id: 'Letter' })
export type LetterResponse = z.infer<typeof letterSchema>
export const letterPageSchema = pageSchema(letterSchema).meta({ id: 'LetterPage' })

export const messageSchema = z
  .object({
    id: idSchema('msg'),
    kind: z.enum(messageKinds),
    to: z.record(z.string(), jsonSchema).optional(),
    type: z.string(),
    source: z.string(),
    subject: z.string().optional(),
    conversation: z.string().optional(),
    correlationId: z.string().optional(),
    replyTo: z.string().optional(),
    time: timeSchema,
    expiresAt: timeSchema.optional(),
    traceparent: z.string().optional(),
    /** `PENDING`: not everybody whom it is for has it yet. */
    state: z.enum(['PENDING', 'SENT']),
    data: jsonSchema.optional(),
    /** In place of data above 32 KiB. */
    dataRef: objectRefSchema.optional(),
    /** Of a request that was answered. */
    response: z.object({ id: idSchema('msg'), time: timeSchema, late: z.boolean() }).optional(),
    /** The run of a workflow that it belongs to. */
    workflowRun: idSchema('run').optional(),
    /** Of a broadcast: how many agents it was for, so far. */
    recipients: z.int().optional(),
    /** With one message: where it is, the first 100. */
    letters: z.array(letterSchema).optional(),
  })
  .meta({ id: 'Message' })
export type MessageResponse = z.infer<typeof messageSchema>
export const messagePageSchema = pageSchema(messageSchema).meta({ id: 'MessagePage' })
export const sentSchema = z.union([messageSchema, taskSchema])
export const listMessagesQuery = z.strictObject({
  ...pageQuery,
  kind: z.enum(messageKinds).optional(),
  type: z.string().max(200).optional(),
  conversation: z.string().max(200).optional(),
})
export const replySchema = z.strictObject({
  /** @default that of the request and `.response` */
  type: attributeSchema.optional(),
  data: boundedJson(240).optional(),
})

/** A message as its receivers see it. https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md */
export const cloudEventSchema = z
  .object({
    specversion: z.literal('1.0'),
    id: z.string(),
    source: z.string(),
    type: z.string(),
    subject: z.string().optional(),
    time: timeSchema,
    datacontenttype: z.literal('application/json'),
    tenantid: z.string(),
    traceparent: z.string().optional(),
    topic: z.string().optional(),
    /** The topics it passed, with spaces between them. */
    hops: z.string().optional(),
    kind: z.string().optional(),
    conversation: z.string().optional(),
    correlationid: z.string().optional(),
    replyto: z.string().optional(),
    expirytime: timeSchema.optional(),
    /** The run of a workflow that it belongs to. */
    workflowrun: z.string().optional(),
    /** Where its data is, when that is too large to be here. */
    dataref: z.string().optional(),
    data: jsonSchema.optional(),
  })
  .meta({ id: 'CloudEvent' })
