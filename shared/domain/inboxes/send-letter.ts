import type { Platform, Stored } from '../../platform/platform.ts'
import { planBody } from '../bodies/body.ts'
import type { Stamp } from '../caller.ts'
import { DomainError } from '../domain-error.ts'
import { digest } from '../ids.ts'
import type { Envelope } from '../messages/envelope.ts'
import { processMemory } from '../process-memory.ts'
import { changeLetter } from './change-letter.ts'
import { type Inbox, type Letter, revive } from './letter.ts'
import { addToCount, correctCount, countLetters, countOf, findLetter, letterPk } from './letter-store.ts'
import { type Incoming, letterIdOf, newLetter } from './new-letter.ts'
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
  if (before && replay !== undefined) await replayLetter(ports, before, replay)
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
  await requireRoom(ports, inbox)
  const pk = letterPk(tenant, letterIdOf(inbox, incoming.envelope.id))
  const { stamp, data: value } = incoming
  const { body, items } = await planBody(ports, { tenant, pk, sk: 'data', value, stamp })
  const letter = { ...newLetter(ports, inbox, { ...incoming, data: body }), ...(replay !== undefined && { replay }) }
  if (await createLetter(ports, letter, { items })) await addToCount(ports, inbox, 1)
}

/** What is over waits again, once for each replay; what still waits is received anyway. */
const replayLetter = (ports: Ports, { tenant, id }: Letter, replay: string) =>
  changeLetter(ports, { tenant, id }, (letter) =>
    letter.state === 'WAITING' || letter.replay === replay ? letter : { ...revive(letter, ports.clock.now()), replay },
  )

/** Refuses what a full inbox cannot take. Several that come at once may be a few too many together. */
export const requireRoom = async (ports: Omit<Ports, 'objects' | 'random'>, inbox: Inbox): Promise<void> => {
  const counted = await countOf(ports, inbox)
  if ((counted?.value ?? 0) < inbox.most || (counted && (await recount(ports, inbox, counted)))) return
  throw new DomainError(
    'MAILBOX_FULL',
    `${inbox.most} messages wait there, as many as can; try again when some were received and acknowledged`,
  )
}

/** A full count is compared with what there is this often. */
const recountMs = 10_000
const recounts = processMemory<number>()

/** Whoever broke off has left the count too high: only then is it wrong. `true`: there is room. */
const recount = async (
  ports: Omit<Ports, 'objects' | 'random'>,
  inbox: Inbox,
  counted: Stored<number>,
): Promise<boolean> => {
  const known = recounts(ports.volatile)
  const now = ports.clock.now()
  if (now - (known.get(inbox.id) ?? Number.NEGATIVE_INFINITY) < recountMs) return false
  known.set(inbox.id, now)
  const { waiting, inFlight } = await countLetters(ports, inbox)
  if (waiting + inFlight >= inbox.most) return false
  await correctCount(ports, counted, waiting + inFlight)
  return true
}
