import type { Platform, Put } from '../../platform/platform.ts'
import type { Body } from '../bodies/body.ts'
import type { Stamp } from '../caller.ts'
import { DomainError } from '../domain-error.ts'
import { bury, type Inbox } from '../inboxes/letter.ts'
import { findLetter } from '../inboxes/letter-store.ts'
import { letterIdOf, newLetter } from '../inboxes/new-letter.ts'
import { withRoom } from '../inboxes/room.ts'
import { createLetter } from '../inboxes/save-letter.ts'
import type { Carried } from './envelope.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random'>

/** A message on its way into an inbox: its data stays where it is. */
export type Carrier = Carried & { data: Body; dataPk: string; sent: string; stamp: Stamp }

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
  return withRoom(ports, inbox, () => createLetter(ports, newLetter(ports, inbox, carrier), { along }))
}

const isThere = async (ports: Pick<Platform, 'main'>, { envelope }: Carrier, inbox: Inbox): Promise<boolean> =>
  (await findLetter(ports, inbox.tenant, letterIdOf(inbox, envelope.id))) !== undefined

/** The same where nobody can be told of a refusal: what an inbox cannot take is a dead letter of it. */
export const deliverOrBury = async (ports: Ports, carrier: Carrier, inbox: Inbox): Promise<void> => {
  try {
    await deliverMessage(ports, carrier, inbox)
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'MAILBOX_FULL') throw error
    const { conversation: _, ...letter } = newLetter(ports, inbox, carrier)
    const { code, message } = error
    await createLetter(ports, bury(letter, letter.createdAt, { code, message }), {})
  }
}
