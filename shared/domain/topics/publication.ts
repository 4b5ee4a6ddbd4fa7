import type { CloudEvent } from '../../platform/platform.ts'
import type { Body } from '../bodies/body.ts'
import type { Stamp } from '../caller.ts'

/** What a message says of itself; its data is kept apart. */
export type Envelope = Pick<CloudEvent, 'source' | 'type' | 'subject' | 'traceparent'> & {
  /** The id of the message: the same on every topic that it passes. */
  id: string
  /** Milliseconds. */
  time: number
}

/** Where the spread of a publication, or of a replay, has come to. */
export type Position = { stage: 'exact' | 'prefix'; cursor?: string }

/** One message on one topic. Times in milliseconds. */
export type Publication = {
  id: string
  tenant: string
  topic: string
  envelope: Envelope
  data: Body
  /** The topics it passed, this one last. */
  hops: string[]
  /** `undefined`: every subscription was looked at. */
  position?: Position
  /** Subscriptions that it matched. */
  matched: number
  dueAt?: number
  createdAt: number
  /** Digest of what was published, to tell a repetition from another message. */
  published: string
  stamp: Stamp
}

/** The CloudEvent that subscribers get, and that patterns are matched with. */
export const toEvent = ({ tenant, topic, envelope, hops }: Publication, data: unknown): CloudEvent => ({
  specversion: '1.0',
  id: envelope.id,
  source: envelope.source,
  type: envelope.type,
  time: new Date(envelope.time).toISOString(),
  ...(envelope.subject !== undefined && { subject: envelope.subject }),
  datacontenttype: 'application/json',
  tenantid: tenant,
  ...(envelope.traceparent !== undefined && { traceparent: envelope.traceparent }),
  topic,
  hops: hops.join(' '),
  data,
})
