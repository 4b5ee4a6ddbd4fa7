import { idFromKey } from '#shared/domain/ids.ts'
import { putOnTopic } from '#shared/domain/messages/put-on-topic.ts'
import type { CloudEvent, Platform } from '#shared/platform/platform.ts'
import { isFinal, tellRefused } from './refused.ts'

/** Another system's event on the bus of the deployment. */
export type BusEvent = {
  id: string
  source: string
  'detail-type': string
  time: string
  resources?: string[]
  detail: unknown
}

const tenant = 'default'

/** Events of one source are messages on one topic: of `aws.s3` on `bus.aws.s3`. */
const topicOf = (source: string): string => `bus.${source.replaceAll(/[^A-Za-z0-9._/:-]/g, '-')}`.slice(0, 200)

const isCloudEvent = (detail: unknown): detail is CloudEvent =>
  detail !== null && typeof detail === 'object' && (detail as CloudEvent).specversion === '1.0'

/** A CloudEvent in the detail speaks for itself; of another event the detail is the data. */
const toMessage = ({ source, time, resources, detail, ...event }: BusEvent) => {
  const type = event['detail-type']
  if (!isCloudEvent(detail))
    return { envelope: { source, type, subject: resources?.[0], time: Date.parse(time) }, data: detail }
  const { subject, traceparent, data, hops } = detail
  const envelope = {
    source: detail.source ?? source,
    type: detail.type ?? type,
    subject,
    traceparent,
    time: Date.parse(time),
  }
  return { envelope, data: data ?? null, passed: hops?.split(' ') }
}

/** Turns an event into a message on the topic of its source, once however often it is delivered. */
export const takeMessage = async (platform: Platform, event: BusEvent): Promise<{ message: string } | undefined> => {
  try {
    const { envelope, ...rest } = toMessage(event)
    const id = idFromKey('msg', tenant, `event\n${event.source}\n${event.id}`)
    const by = { actor: `event:${event.source}`, action: 'event.take', request: event.id }
    const kind = 'event' as const
    await putOnTopic(
      platform,
      tenant,
      { ...rest, topic: topicOf(event.source), envelope: { ...envelope, id, kind } },
      by,
    )
    return { message: id }
  } catch (error) {
    if (!isFinal(error)) throw error
    return void tellRefused(platform, event, error)
  }
}
