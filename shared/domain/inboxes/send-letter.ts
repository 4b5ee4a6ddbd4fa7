import type { Platform } from '../../platform/platform.ts'
import { planBody } from '../bodies/body.ts'
import type { Stamp } from '../caller.ts'
import { DomainError } from '../domain-error.ts'
import { digest } from '../ids.ts'
import type { Envelope } from '../messages/envelope.ts'
import { reviveLetter } from './change-letter.ts'
import type { Inbox, Letter } from './letter.ts'
import { findLetter, letterPk } from './letter-store.ts'
import { type Incoming, letterIdOf, newLetter } from './new-letter.ts'
import { withRoom } from './room.ts'
import { createLetter } from './save-letter.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'objects' | 'clock' | 'random'>

export type Sent = {
  envelope: Envelope
  data: unknown
  hops: string[]
  topic?: string
  /** Names a replay: under a name a message that is over waits once more. */
  replay?: string
}

/** Puts a message into an inbox, which has it once. Answers the letter's id. */
export const sendLetter = async (ports: Ports, inbox: Inbox, sent: Sent, stamp: Stamp): Promise<string> => {
  const { tenant } = inbox
  const { replay, ...incoming } = sent
  const id = letterIdOf(inbox, sent.envelope.id)
  const digested = digestOf(sent)
  const before = (await findLetter(ports, tenant, id))?.value
  if (before === undefined) await createNew(ports, inbox, { ...incoming, sent: digested, stamp }, replay)
  else requireSame(before, digested)
  if (before && replay !== undefined) await replayLetter(ports, inbox, before, replay)
  return id
}

const digestOf = ({ envelope, data }: Sent): string => {
  const { time: _, traceparent: __, ...same } = envelope
  return digest({ same, data })
}

const requireSame = ({ envelope, sent: before }: Letter, sent: string): void => {
  if (before !== sent)
    throw new DomainError('IDEMPOTENCY_CONFLICT', `message ${envelope.id} was sent there before with another body`)
}

const createNew = async (
  ports: Ports,
  inbox: Inbox,
  incoming: Omit<Incoming, 'data'> & { data: unknown },
  replay: string | undefined,
): Promise<void> => {
  const { tenant } = inbox
  const pk = letterPk(tenant, letterIdOf(inbox, incoming.envelope.id))
  const { stamp, data: value } = incoming
  const { body, items } = await planBody(ports, { tenant, pk, sk: 'data', value, stamp })
  const letter = { ...newLetter(ports, inbox, { ...incoming, data: body }), ...(replay !== undefined && { replay }) }
  await withRoom(ports, inbox, () => createLetter(ports, letter, { items }))
}

/** What is over waits again, once for each replay; what still waits is received anyway. */
const replayLetter = async (ports: Ports, inbox: Inbox, before: Letter, replay: string): Promise<void> => {
  if (before.state === 'WAITING' || before.replay === replay) return
  await withRoom(ports, inbox, () =>
    reviveLetter(ports, before, (letter) => letter.state !== 'WAITING' && letter.replay !== replay, { replay }),
  )
}
