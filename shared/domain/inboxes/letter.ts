import type { Body } from '../bodies/body.ts'
import type { Stamp } from '../caller.ts'
import { type Refused, refuse } from '../domain-error.ts'
import type { Envelope } from '../messages/envelope.ts'

/** Where letters wait to be received: a queue, by its id. Times in milliseconds. */
export type Inbox = {
  tenant: string
  id: string
  /** How long a letter that was received is kept from others. */
  visibilityMs: number
  /** A letter that was received so often without being acknowledged is a dead one. */
  mostReceives: number
  /** So many wait at most. */
  most: number
}

/** One message in one inbox. Times in milliseconds. */
export type Letter = {
  id: string
  tenant: string
  inbox: string
  envelope: Envelope
  data: Body
  hops: string[]
  topic?: string
  state: 'WAITING' | 'DONE' | 'DEAD'
  /** From when on it may be received. */
  visibleAt: number
  receives: number
  /** Of whoever received it last. */
  receipt?: string
  /** Why nobody gets it any more. */
  reason?: { code: 'EXPIRED' | 'RECEIVES'; message: string }
  /** When it is over. */
  endsAt?: number
  createdAt: number
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
    visibilityMs,
    mostReceives,
  }: { now: number; receipt: string; visibilityMs: number; mostReceives: number },
): Letter => {
  if (letter.endsAt !== undefined && letter.endsAt <= now)
    return bury(letter, { code: 'EXPIRED', message: `its time was over at ${new Date(letter.endsAt).toISOString()}` })
  if (letter.receives >= mostReceives)
    return bury(letter, {
      code: 'RECEIVES',
      message: `it was received ${letter.receives} times and never acknowledged`,
    })
  return { ...letter, receives: letter.receives + 1, receipt, visibleAt: now + visibilityMs }
}

const bury = (letter: Letter, reason: Letter['reason']): Letter => ({
  ...letter,
  state: 'DEAD',
  reason,
  receipt: undefined,
})

type Held = { now: number; receipt: string }

const isHeld = (letter: Letter, receipt: string): boolean => letter.state === 'WAITING' && letter.receipt === receipt

const lost = ({ id }: Letter): Refused =>
  refuse('STALE_RECEIPT', `letter ${id} is not held by this receipt any more: it was received again, or is over`)

/** It is done; acknowledged again by the same receipt it stays so. */
export const acknowledge = (letter: Letter, { receipt }: Held): Letter | Refused => {
  if (letter.state === 'DONE' && letter.receipt === receipt) return letter
  return isHeld(letter, receipt) ? { ...letter, state: 'DONE' } : lost(letter)
}

/** Kept from others for so long from now on; 0 gives it back. */
export const extend = (letter: Letter, { now, receipt, ms }: Held & { ms: number }): Letter | Refused =>
  isHeld(letter, receipt) ? { ...letter, visibleAt: now + ms } : lost(letter)

/** A dead letter waits again, as if it had just come; for what is over there is no time any more. */
export const revive = (letter: Letter, now: number): Letter => ({
  ...letter,
  state: 'WAITING',
  receives: 0,
  visibleAt: now,
  reason: undefined,
  endsAt: undefined,
})
