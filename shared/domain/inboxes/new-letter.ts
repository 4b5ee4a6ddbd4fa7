import type { Platform } from '../../platform/platform.ts'
import { digest, idFromKey } from '../ids.ts'
import { firstLookMs, type Inbox, type Letter } from './letter.ts'

/** The letter that a message is in an inbox: an inbox has a message once, however many ways lead there. */
export const letterIdOf = ({ tenant, id }: Pick<Inbox, 'tenant' | 'id'>, message: string): string =>
  idFromKey('ltr', tenant, `${id}\n${message}`)

/** What comes into an inbox, by whatever way. */
export type Incoming = Pick<Letter, 'envelope' | 'data' | 'dataPk' | 'hops' | 'topic' | 'sent' | 'stamp'>

/** A letter that waits: for its turn in its conversation, until its time is over, for a task where a handler is. */
export const newLetter = ({ clock }: Pick<Platform, 'clock'>, inbox: Inbox, incoming: Incoming): Letter => {
  const { envelope, data, dataPk, hops, topic, sent, stamp } = incoming
  const { conversation, expiresAt } = envelope
  const now = clock.now()
  return {
    id: letterIdOf(inbox, envelope.id),
    tenant: inbox.tenant,
    inbox: inbox.id,
    ...(inbox.name !== undefined && { queue: inbox.name }),
    envelope,
    data,
    ...(dataPk !== undefined && { dataPk }),
    hops,
    ...(topic !== undefined && { topic }),
    state: 'WAITING',
    ...(inbox.handles?.includes(envelope.type) && { handled: true, dueAt: now + firstLookMs }),
    ...(conversation !== undefined && { conversation: digest(conversation) }),
    visibleAt: now,
    receives: 0,
    ...(expiresAt !== undefined && { endsAt: expiresAt }),
    createdAt: now,
    sent,
    stamp,
  }
}
