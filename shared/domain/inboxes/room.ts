import type { Platform, Stored } from '../../platform/platform.ts'
import { DomainError } from '../domain-error.ts'
import { processMemory } from '../process-memory.ts'
import type { Inbox } from './letter.ts'
import { addToCount, correctCount, countLetters, countOf, takePlace, tellCame } from './letter-store.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock'>

/** Above this part of what an inbox takes a place is taken before a letter is put there, below it is counted after. */
const closePart = 0.9

/**
 * Puts a letter into an inbox that has room for it: `put` answers whether it is new there. One that is full refuses with
 * `MAILBOX_FULL`, also where many come at once: only of more than a tenth of what it takes, sent at the same moment, some
 * may be too many.
 */
export const withRoom = async (ports: Ports, inbox: Inbox, put: () => Promise<boolean>): Promise<boolean> => {
  const counted = await countOf(ports, inbox)
  if ((counted?.value ?? 0) < Math.floor(inbox.most * closePart)) {
    const isNew = await put()
    if (isNew) await addToCount(ports, inbox, 1)
    return isNew
  }
  await requirePlace(ports, inbox, counted)
  const isNew = await put().catch(async (error: unknown) => {
    if (error instanceof DomainError) await addToCount(ports, inbox, -1) // of others nobody knows what was stored
    throw error
  })
  await (isNew ? tellCame(ports, inbox) : addToCount(ports, inbox, -1))
  return isNew
}

/** The same for what may stay where it is: `false` where there is no room. */
export const ifRoom = (ports: Ports, inbox: Inbox, put: () => Promise<boolean>): Promise<boolean> =>
  withRoom(ports, inbox, put).catch((error: unknown) => {
    if (error instanceof DomainError && error.code === 'MAILBOX_FULL') return false
    throw error
  })

const requirePlace = async (ports: Ports, inbox: Inbox, counted: Stored<number> | undefined): Promise<void> => {
  if (await takePlace(ports, inbox)) return
  if (counted && (await recount(ports, inbox, counted)) && (await takePlace(ports, inbox))) return
  throw new DomainError(
    'MAILBOX_FULL',
    `${inbox.most} messages wait there, as many as can; try again when some were received and acknowledged`,
  )
}

/** A full count is compared with what there is this often. */
const recountMs = 10_000
const rememberMs = 60_000
const looks = processMemory<{ at: number; surplus: number }>()

/**
 * Whoever broke off has left the count too high: only then is it wrong for longer than a letter is on its way. `true`:
 * there is room.
 */
const recount = async (ports: Ports, inbox: Inbox, counted: Stored<number>): Promise<boolean> => {
  const known = looks(ports.volatile)
  const before = known.get(inbox.id)
  const now = ports.clock.now()
  if (before !== undefined && now - before.at < recountMs) return false
  const { waiting, inFlight } = await countLetters(ports, inbox)
  const surplus = counted.value - waiting - inFlight
  known.set(inbox.id, { at: now, surplus })
  const isLasting = before !== undefined && now - before.at < rememberMs && before.surplus > 0
  if (surplus <= 0 || !isLasting) return false
  await correctCount(ports, counted, counted.value - Math.min(surplus, before.surplus))
  return true
}
