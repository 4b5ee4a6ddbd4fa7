import type { Item, Platform, Put, Stored } from '../../platform/platform.ts'
import { compete } from '../contention.ts'
import { newRev } from '../ids.ts'
import { writeAll } from '../write-all.ts'
import { joinConversation, leaveConversation } from './conversation.ts'
import type { Letter } from './letter.ts'
import { keepMs, putLetter } from './letter-store.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

/**
 * Stores a new letter with its body, at the end of its conversation, in one write with what comes `along`. `false`: it,
 * or something of that, was there already.
 */
export const createLetter = (
  ports: Ports,
  wished: Letter,
  { items = [], along = [] }: { items?: Item[]; along?: Put[] },
): Promise<boolean> =>
  compete<boolean>(ports, `inbox ${wished.inbox}`, async () => {
    const joined = await joinConversation(ports, wished)
    if (joined === undefined) return { done: false }
    const { letter, writes } = joined
    const expiresAt = letter.createdAt + keepMs
    const bodies = items.map((body): Put => ({ op: 'put', item: { ...body, expiresAt }, expect: 'any' }))
    const own = [...along, ...bodies]
    const outcome = await writeAll(ports.main, [putLetter(letter, 'absent', newRev(ports)), ...own, ...writes])
    if (outcome.ok) return { done: true }
    return outcome.conflicts.some(({ at }) => at <= own.length) ? { done: false } : undefined
  })

/**
 * Saves a changed letter if nobody else did; `undefined`: somebody came first. One that waits no more gives its turn to
 * the next of its conversation.
 */
export const saveLetter = async (ports: Ports, found: Stored<Letter>, letter: Letter): Promise<Letter | undefined> => {
  const isSettled = found.value.state === 'WAITING' && letter.state !== 'WAITING'
  const rest = isSettled ? await leaveConversation(ports, found.value) : []
  const outcome = await writeAll(ports.main, [putLetter(letter, { rev: found.rev }, newRev(ports)), ...rest])
  return outcome.ok ? letter : undefined
}
