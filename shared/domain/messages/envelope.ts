import type { CloudEvent } from '../../platform/platform.ts'

/** What a message says of itself; its data is kept apart. */
export type Envelope = Pick<CloudEvent, 'source' | 'type' | 'subject' | 'traceparent'> & {
  /** The id of the message. */
  id: string
  /** Milliseconds. */
  time: number
}

/** A message where it is kept. */
export type Carried = {
  tenant: string
  envelope: Envelope
  topic?: string
  /** The topics it passed, the last one last. */
  hops: string[]
}

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
  ...(topic !== undefined && { topic }),
  ...(hops.length > 0 && { hops: hops.join(' ') }),
  data,
})
