import type { CloudEvent } from '../../platform/platform.ts'

export const messageKinds = ['event', 'request', 'response', 'broadcast', 'workflow'] as const
export type MessageKind = (typeof messageKinds)[number]

/** What a message says of itself; its data is kept apart. */
export type Envelope = Pick<CloudEvent, 'source' | 'type' | 'subject' | 'traceparent'> & {
  /** The id of the message. */
  id: string
  /** Milliseconds. */
  time: number
  /** @default event */
  kind?: MessageKind
  /** Messages of one conversation are received in order, each when the one before is settled. */
  conversation?: string
  /** What it has to do with: of a response, the request. */
  correlationId?: string
  /** The agent whose mailbox gets the response. */
  replyTo?: string
  /** Milliseconds: nobody gets it after that; of a request the deadline. */
  expiresAt?: number
  /** The run of a workflow that it belongs to: who handles it works for that run. */
  run?: string
}

/** A message where it is kept. */
export type Carried = {
  tenant: string
  envelope: Envelope
  topic?: string
  /** The topics it passed, the last one last. */
  hops: string[]
}

/** What only messages have; names of attributes are in lower case. */
const extensionsOf = ({ kind, conversation, correlationId, replyTo, expiresAt, run }: Envelope) => ({
  ...(kind !== undefined && { kind }),
  ...(conversation !== undefined && { conversation }),
  ...(correlationId !== undefined && { correlationid: correlationId }),
  ...(replyTo !== undefined && { replyto: replyTo }),
  ...(expiresAt !== undefined && { expirytime: new Date(expiresAt).toISOString() }),
  ...(run !== undefined && { workflowrun: run }),
})

/** The message as receivers and patterns see it. */
export const toCloudEvent = ({ tenant, topic, envelope, hops }: Carried, data: unknown): CloudEvent => ({
  specversion: '1.0',
  id: envelope.id,
  source: envelope.source,
  type: envelope.type,
  time: new Date(envelope.time).toISOString(),
  ...(envelope.subject !== undefined && { subject: envelope.subject }),
  datacontenttype: 'application/json',
  tenantid: tenant,
  ...(envelope.traceparent !== undefined && { traceparent: envelope.traceparent }),
  ...extensionsOf(envelope),
  ...(topic !== undefined && { topic }),
  ...(hops.length > 0 && { hops: hops.join(' ') }),
  data,
})

/** What an event that came as a message says of itself: the envelope it had. */
export const envelopeOf = (event: CloudEvent): Envelope => {
  const { id, source, type, subject, traceparent, time } = event
  return {
    id,
    source,
    type,
    time: Date.parse(time),
    ...(subject !== undefined && { subject }),
    ...(traceparent !== undefined && { traceparent }),
    ...attributesOf(event),
  }
}

const attributesOf = ({ kind, conversation, correlationid, replyto, expirytime, workflowrun }: CloudEvent) => ({
  ...(kind !== undefined && { kind: kind as MessageKind }),
  ...(conversation !== undefined && { conversation }),
  ...(correlationid !== undefined && { correlationId: correlationid }),
  ...(replyto !== undefined && { replyTo: replyto }),
  ...(expirytime !== undefined && { expiresAt: Date.parse(expirytime) }),
  ...(workflowrun !== undefined && { run: workflowrun }),
})
