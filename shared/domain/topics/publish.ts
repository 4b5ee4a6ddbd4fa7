import type { Platform, Put } from '../../platform/platform.ts'
import { planBody } from '../bodies/body.ts'
import type { Stamp } from '../caller.ts'
import { remind } from '../dispatch/due.ts'
import { DomainError, orThrow } from '../domain-error.ts'
import { digest, idFromKey } from '../ids.ts'
import type { Envelope } from '../messages/envelope.ts'
import { writeAll } from '../write-all.ts'
import type { Publication } from './publication.ts'
import { nextHops } from './topic.ts'
import { publicationPk, publicationPuts } from './topic-store.ts'

type Ports = Pick<Platform, 'main' | 'objects' | 'queues' | 'clock' | 'random' | 'telemetry'>

export type Published = {
  topic: string
  envelope: Envelope
  data: unknown
  /** The topics that the message passed before. @default none */
  passed?: readonly string[]
}

/** A publication on its way into the store: `puts` are written together, and nobody is told of it before. */
export type PlannedPublication = { publication: Publication; puts: [Put, ...Put[]] }

export const planPublication = async (
  ports: Ports,
  tenant: string,
  { topic, envelope, data, passed = [] }: Published,
  stamp: Stamp,
): Promise<PlannedPublication> => {
  const hops = orThrow(nextHops(passed, topic))
  const id = idFromKey('pub', tenant, `${envelope.id}\n${topic}`)
  const { body, items } = await planBody(ports, {
    tenant,
    pk: publicationPk(tenant, id),
    sk: 'data',
    value: data,
    stamp,
  })
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
  return { publication, puts: publicationPuts(ports, publication, items) }
}

/** Has it spread at once to whoever subscribed; what gets lost here the sweep finds. */
export const remindOf = (ports: Ports, { tenant, id, createdAt }: Publication): Promise<void> =>
  remind(ports, { tenant, id, at: createdAt })

/**
 * Puts a message on a topic: from here on every subscription gets what it matches. The same message again on the same
 * topic answers the first one; another one under its id is a conflict.
 */
export const publish = async (
  ports: Ports,
  tenant: string,
  published: Published,
  stamp: Stamp,
): Promise<Publication> => {
  const { publication, puts } = await planPublication(ports, tenant, published, stamp)
  const outcome = await writeAll(ports.main, puts)
  const existing = outcome.ok ? undefined : (outcome.conflicts[0]?.current?.value as Publication | undefined)
  if (existing && existing.published !== publication.published)
    throw new DomainError(
      'IDEMPOTENCY_CONFLICT',
      `message ${published.envelope.id} is on topic ${published.topic} with another body`,
    )
  if (existing === undefined) await remindOf(ports, publication)
  return existing ?? publication
}
