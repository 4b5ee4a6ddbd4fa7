import type { Platform } from '../../platform/platform.ts'
import { planBody } from '../bodies/body.ts'
import type { Stamp } from '../caller.ts'
import { remind } from '../dispatch/due.ts'
import { DomainError, orThrow } from '../domain-error.ts'
import { digest, idFromKey } from '../ids.ts'
import type { Envelope } from '../messages/envelope.ts'
import type { Publication } from './publication.ts'
import { nextHops } from './topic.ts'
import { createPublication, publicationPk } from './topic-store.ts'

type Ports = Pick<Platform, 'main' | 'objects' | 'queues' | 'clock' | 'random' | 'telemetry'>

export type Published = {
  topic: string
  envelope: Envelope
  data: unknown
  /** The topics that the message passed before. @default none */
  passed?: readonly string[]
}

/**
 * Puts a message on a topic: from here on every subscription gets what it matches. The same message again on the same
 * topic answers the first one; another one under its id is a conflict.
 */
export const publish = async (
  ports: Ports,
  tenant: string,
  { topic, envelope, data, passed = [] }: Published,
  stamp: Stamp,
): Promise<Publication> => {
  const hops = orThrow(nextHops(passed, topic))
  const id = idFromKey('pub', tenant, `${envelope.id}\n${topic}`)
  const pk = publicationPk(tenant, id)
  const { body, items } = await planBody(ports, { tenant, pk, sk: 'data', value: data, stamp })
  const now = ports.clock.now()
  const { time: _, traceparent: __, ...same } = envelope
  const publication: Publication = {
    id,
    tenant,
    topic,
    envelope,
    data: body,
    hops,
    position: { stage: 'exact' },
    matched: 0,
    dueAt: now,
    createdAt: now,
    published: digest({ same, data }),
    stamp,
  }
  const existing = await createPublication(ports, publication, items)
  if (existing && existing.published !== publication.published)
    throw new DomainError('IDEMPOTENCY_CONFLICT', `message ${envelope.id} is on topic ${topic} with another body`)
  if (existing === undefined) await remind(ports, { tenant, id, at: now })
  return existing ?? publication
}
