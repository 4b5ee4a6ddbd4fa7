import type { Body } from '../bodies/body.ts'
import type { Stamp } from '../caller.ts'
import { type Refused, refuse } from '../domain-error.ts'
import type { Envelope } from '../messages/envelope.ts'

/** Where letters wait to be received: a queue, or the mailbox of an agent, by its id. Times in milliseconds. */
export type Inbox = {
  tenant: string
  id: string
  /** Of a queue. */
  name?: string
  /** How long a letter that was received is kept from others. */
  visibilityMs: number
  /** What is added to it from the second receive on, doubled each time. @default nothing */
  backOffMs?: number
  /** A letter that was received so often without being acknowledged is a dead one. */
  mostReceives: number
  /** So many wait at most. */
  most: number
  /** Receivers get the object that has the data, where that is above 32 KiB. @default all of it */
  references?: true
  /** Messages of these types are handled by tasks, and received by nobody. */
  handles?: string[]
}

/** Why nobody gets a letter any more. */
export type DeadReason = { code: string; message: string }

/** One message in one inbox. Times in milliseconds. */
export type Letter = {
  id: string
  tenant: string
  inbox: string
  /** Of the queue that it is in. */
  queue?: string
  envelope: Envelope
  data: Body
  /** What its data is kept under, where that is not the letter itself. */
  dataPk?: string
  hops: string[]
  topic?: string
  state: 'WAITING' | 'DONE' | 'DEAD'
  /** Names its conversation, while it has its turn in one. */
  conversation?: string
  /** Another letter of its conversation comes first. */
  behind?: true
  /** The letter that comes after it in its conversation. */
  next?: string
  /** A task handles it, and nobody receives it. */
  handled?: true
  /** How often it was put back: each time another task handles it. */
  revivals?: number
  /** The replay that it was put back by last. */
  replay?: string
  /** When somebody looks whether the making or the end of its task was missed. */
  dueAt?: number
  /** From when on it may be received. */
  visibleAt: number
  receives: number
  /** Of whoever received it last. */
  receipt?: string
  /** Why nobody gets it any more. */
  reason?: DeadReason
  /** When it is over. */
  endsAt?: number
  createdAt: number
  /** When it was done with, or given up. */
  settledAt?: number
  /** Digest of what was sent, to tell a repetition from another message. */
  sent: string
  stamp: Stamp
}

/** A letter after it was handed out; or dead, when its time or its tries are over. */
export const take = (
  letter: Letter,
  {
    now,
    receipt,
    mostReceives,
    ...hiding
  }: { now: number; receipt: string } & Pick<Inbox, 'visibilityMs' | 'backOffMs' | 'mostReceives'>,
): Letter => {
  const living = expire(letter, now)
  if (living.state !== 'WAITING') return living
  if (letter.receives >= mostReceives)
    return bury(letter, now, {
      code: 'RECEIVES',
      message: `it was received ${letter.receives} times and never acknowledged`,
    })
  const receives = letter.receives + 1
  return { ...letter, receives, receipt, visibleAt: now + hiddenMs(hiding, receives) }
}

const longestBackOffMs = 300_000

const hiddenMs = (
  { visibilityMs, backOffMs = 0 }: Pick<Inbox, 'visibilityMs' | 'backOffMs'>,
  receives: number,
): number => visibilityMs + (receives > 1 ? Math.min(backOffMs * 2 ** (receives - 2), longestBackOffMs) : 0)

/** It waited longer than it was worth; the same object while it has not, or is with somebody who got it in time. */
export const expire = (letter: Letter, now: number): Letter => {
  if (letter.endsAt === undefined || letter.endsAt > now || isHeld(letter, now)) return letter
  const message = `its time was over at ${new Date(letter.endsAt).toISOString()}`
  return bury(letter, now, { code: 'EXPIRED', message })
}

/** Nobody gets it any more, and why; what was settled stays as it is. */
export const bury = (letter: Letter, now: number, reason: DeadReason): Letter =>
  letter.state === 'WAITING' ? { ...letter, state: 'DEAD', reason, receipt: undefined, settledAt: now } : letter

/** It is done and never comes again, whoever had it; what was settled stays as it is. */
export const finish = (letter: Letter, now: number): Letter =>
  letter.state === 'WAITING' ? { ...letter, state: 'DONE', settledAt: now } : letter

/** Whether it is its turn to become a task. */
export const isForTask = ({ state, handled, behind }: Letter): boolean =>
  state === 'WAITING' && handled === true && !behind

/** Where a letter stands in its inbox: those that came later have a greater one. */
export const positionOf = ({ createdAt, id }: Pick<Letter, 'createdAt' | 'id'>): string =>
  `${String(createdAt).padStart(15, '0')}.${id.slice(4)}`

/** Whether somebody has received it, and it is kept from others. */
export const isHeld = ({ receives, visibleAt }: Letter, now: number): boolean => receives > 0 && visibleAt > now

type Held = { now: number; receipt: string }

const isHeldBy = (letter: Letter, receipt: string): boolean => letter.state === 'WAITING' && letter.receipt === receipt

const lost = ({ id }: Letter): Refused =>
  refuse('STALE_RECEIPT', `letter ${id} is not held by this receipt any more: it was received again, or is over`)

/** It is done; acknowledged again by the same receipt it stays so. */
export const acknowledge = (letter: Letter, { now, receipt }: Held): Letter | Refused => {
  if (letter.state === 'DONE' && letter.receipt === receipt) return letter
  return isHeldBy(letter, receipt) ? finish(letter, now) : lost(letter)
}

/** Kept from others for so long from now on; 0 gives it back. */
export const extend = (letter: Letter, { now, receipt, ms }: Held & { ms: number }): Letter | Refused =>
  isHeldBy(letter, receipt) ? { ...letter, visibleAt: now + ms } : lost(letter)

/** A task is made within moments: whoever looks so much later finds what was missed. */
export const firstLookMs = 300_000
/** It may run for long: from then on somebody looks so often. */
export const laterLookMs = 3_600_000

/** A letter that is over waits again, for as long as it takes, but out of its conversation, where its turn has passed. */
export const revive = (letter: Letter, now: number): Letter => ({
  ...letter,
  envelope: { ...letter.envelope, expiresAt: undefined },
  state: 'WAITING',
  conversation: undefined,
  behind: undefined,
  revivals: (letter.revivals ?? 0) + 1,
  receives: 0,
  ...(letter.handled && { dueAt: now + firstLookMs }),
  visibleAt: now,
  reason: undefined,
  settledAt: undefined,
  endsAt: undefined,
})
