import { planBody } from '../bodies/body.ts'
import type { Stamp } from '../caller.ts'
import { orThrow } from '../domain-error.ts'
import { digest } from '../ids.ts'
import type { Published } from '../topics/publish.ts'
import { nextHops } from '../topics/topic.ts'
import { requireAttributes } from './attribute.ts'
import type { MessagePorts } from './deliverers.ts'
import { messagePk } from './message-store.ts'
import { publishMessage } from './publish-message.ts'

type Ports = Pick<MessagePorts, 'main' | 'objects' | 'queues' | 'clock' | 'random' | 'telemetry'>

/**
 * Puts on a topic what nobody sent as a message, and keeps it as one: it is found like those that were sent, by the first
 * who receives it already.
 */
export const putOnTopic = async (ports: Ports, tenant: string, published: Published, stamp: Stamp): Promise<void> => {
  const { topic, envelope, data, passed = [] } = published
  requireAttributes(envelope)
  orThrow(nextHops(passed, topic)) // what goes round is no message
  const { id } = envelope
  const { body, items } = await planBody(ports, { tenant, pk: messagePk(tenant, id), sk: 'data', value: data, stamp })
  const message = {
    id,
    tenant,
    envelope,
    to: { topic },
    data: body,
    hops: [...passed],
    state: 'SENT' as const,
    createdAt: ports.clock.now(),
    sent: digest({ topic, type: envelope.type, data }),
    stamp,
  }
  await publishMessage(ports, message, items, published)
}
