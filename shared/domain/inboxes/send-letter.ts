import type { Platform, Stored } from '../../platform/platform.ts'
import { planBody } from '../bodies/body.ts'
import type { Stamp } from '../caller.ts'
import { DomainError } from '../domain-error.ts'
import { digest, idFromKey } from '../ids.ts'
import type { Envelope } from '../messages/envelope.ts'
import { processMemory } from '../process-memory.ts'
import type { Inbox, Letter } from './letter.ts'
import { addToCount, correctCount, countLetters, countOf, findLetter, letterPk } from './letter-store.ts'
import { createLetter } from './save-letter.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'objects' | 'clock' | 'random'>

export type Sent = {
  /** Under the same key an inbox takes one letter. */
  key: string
  envelope: Envelope
  data: unknown
  hops?: string[]
  topic?: string
  /** Milliseconds. */
  endsAt?: number
}

/** Puts a message into an inbox, once for each key. Answers the letter's id. */
export const sendLetter = async (
  ports: Ports,
  inbox: Inbox,
  { key, envelope, data, hops = [], topic, endsAt }: Sent,
  stamp: Stamp,
): Promise<string> => {
  const { tenant } = inbox
  const id = idFromKey('ltr', tenant, `${inbox.id}\n${key}`)
  const { time: _, traceparent: __, ...same } = envelope
  const sent = digest({ same, data })
  const before = await findLetter(ports, tenant, id)
  if (before) return sameOrConflict(before.value, sent)
  await requireRoom(ports, inbox)
  const { body, items } = await planBody(ports, { tenant, pk: letterPk(tenant, id), sk: 'data', value: data, stamp })
  const now = ports.clock.now()
  const letter: Letter = {
    id,
    tenant,
    inbox: inbox.id,
    envelope,
    data: body,
    hops,
    ...(topic !== undefined && { topic }),
    state: 'WAITING',
    visibleAt: now,
    receives: 0,
    ...(endsAt !== undefined && { endsAt }),
    createdAt: now,
    sent,
    stamp,
  }
  if (await createLetter(ports, letter, { items })) await addToCount(ports, inbox, 1)
  return id
}

const sameOrConflict = ({ id, envelope, sent: before }: Letter, sent: string): string => {
  if (before === sent) return id
  throw new DomainError('IDEMPOTENCY_CONFLICT', `message ${envelope.id} was sent there before with another body`)
}

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
