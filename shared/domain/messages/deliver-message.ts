import type { Platform, Put } from '../../platform/platform.ts'
import type { Body } from '../bodies/body.ts'
import type { Stamp } from '../caller.ts'
import { DomainError } from '../domain-error.ts'
import { digest, idFromKey } from '../ids.ts'
import { bury, type Inbox, type Letter } from '../inboxes/letter.ts'
import { addToCount, findLetter } from '../inboxes/letter-store.ts'
import { createLetter } from '../inboxes/save-letter.ts'
import { requireRoom } from '../inboxes/send-letter.ts'
import type { Carried } from './envelope.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random'>

/** A message on its way into an inbox: its data stays where it is. */
export type Carrier = Carried & { data: Body; dataPk: string; sent: string; stamp: Stamp }

/** The letter that a message is in an inbox. */
export const letterIdOf = ({ tenant, id }: Pick<Inbox, 'tenant' | 'id'>, message: string): string =>
  idFromKey('ltr', tenant, `${id}\n${message}`)

/**
 * Puts a message into an inbox, once however often it is delivered there, in one write with what comes `along`.
 * `false`: it is there already. An inbox that is full refuses with `MAILBOX_FULL`.
 */
export const deliverMessage = async (
  ports: Ports,
  carrier: Carrier,
  inbox: Inbox,
  along: Put[] = [],
): Promise<boolean> => {
  if (await isThere(ports, carrier, inbox)) return false
  await requireRoom(ports, inbox)
  const isNew = await createLetter(ports, toLetter(ports, carrier, inbox), { along })
  if (isNew) await addToCount(ports, inbox, 1)
  return isNew
}

const isThere = async (ports: Pick<Platform, 'main'>, { envelope }: Carrier, inbox: Inbox): Promise<boolean> =>
  (await findLetter(ports, inbox.tenant, letterIdOf(inbox, envelope.id))) !== undefined

const toLetter = ({ clock }: Pick<Platform, 'clock'>, carrier: Carrier, inbox: Inbox): Letter => {
  const { tenant, envelope, data, dataPk, hops, topic, sent, stamp } = carrier
  const now = clock.now()
  return {
    id: letterIdOf(inbox, envelope.id),
    tenant,
    inbox: inbox.id,
    envelope,
    data,
    dataPk,
    hops,
    ...(topic !== undefined && { topic }),
    state: 'WAITING',
    ...(inbox.handles?.includes(envelope.type) && { handled: true }),
    ...(envelope.conversation !== undefined && { conversation: digest(envelope.conversation) }),
    visibleAt: now,
    receives: 0,
    ...(envelope.expiresAt !== undefined && { endsAt: envelope.expiresAt }),
    createdAt: now,
    sent,
    stamp,
  }
}

/** The same where nobody can be told of a refusal: what an inbox cannot take is a dead letter of it. */
export const deliverOrBury = async (ports: Ports, carrier: Carrier, inbox: Inbox): Promise<void> => {
  try {
    await deliverMessage(ports, carrier, inbox)
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'MAILBOX_FULL') throw error
    const { conversation: _, ...letter } = toLetter(ports, carrier, inbox)
    const { code, message } = error
    await createLetter(ports, bury(letter, letter.createdAt, { code, message }), {})
  }
}
