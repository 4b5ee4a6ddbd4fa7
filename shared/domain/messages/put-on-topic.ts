import { planBody } from '../bodies/body.ts'
import type { Stamp } from '../caller.ts'
import { type Published, publish } from '../topics/publish.ts'
import type { MessagePorts } from './deliverers.ts'
import { createMessage, messagePk } from './message-store.ts'

type Ports = Pick<MessagePorts, 'main' | 'objects' | 'queues' | 'clock' | 'random' | 'telemetry'>

/** Puts on a topic what nobody sent as a message, and keeps it as one: it is found like those that were sent. */
export const putOnTopic = async (ports: Ports, tenant: string, published: Published, stamp: Stamp): Promise<void> => {
  const { topic, envelope, data, passed = [] } = published
  const { id } = envelope
  const publication = await publish(ports, tenant, published, stamp)
  const { body, items } = await planBody(ports, { tenant, pk: messagePk(tenant, id), sk: 'data', value: data, stamp })
  const message = {
    id,
    tenant,
    envelope: publication.envelope,
    to: { topic },
    data: body,
    hops: [...passed],
    state: 'SENT' as const,
    createdAt: publication.createdAt,
    sent: publication.published,
    stamp,
  }
  await createMessage(ports, message, items)
}
