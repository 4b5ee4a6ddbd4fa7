import type { Key, Platform, Stored, Write } from '../../platform/platform.ts'
import { systemStamp } from '../caller.ts'
import type { Letter } from './letter.ts'
import { findLetter, keepMs, putLetter } from './letter-store.ts'

type Ports = Pick<Platform, 'main' | 'clock'>

/** The letters of one conversation that wait in one inbox are a chain: this is its end. */
type Conversation = { tail: string }

const conversationKey = ({ tenant, inbox, conversation }: Letter): Key => ({
  pk: `${tenant}#inbox#${inbox}`,
  sk: `conversation#${conversation}`,
})

/** A new letter at the end of its conversation, and what has to be written with it; `undefined`: it is there already. */
export const joinConversation = async (
  ports: Ports,
  letter: Letter,
): Promise<{ letter: Letter; writes: Write[] } | undefined> => {
  if (letter.conversation === undefined) return { letter, writes: [] }
  const key = conversationKey(letter)
  const stored = await ports.main.get<Conversation>(key)
  if (stored?.value.tail === letter.id) return undefined
  const tail = stored && (await findLetter(ports, letter.tenant, stored.value.tail))
  const item = { ...key, type: 'conversation', value: { tail: letter.id }, expiresAt: letter.createdAt + keepMs }
  const end: Write = { op: 'put', item, expect: stored ? { rev: stored.rev } : 'absent' }
  if (tail === undefined) return { letter, writes: [end] }
  const stamp = systemStamp('letter.follow')
  const before = putLetter({ ...tail.value, next: letter.id, stamp }, { rev: tail.rev })
  return { letter: { ...letter, behind: true }, writes: [end, before] }
}

/** The next letter of the chain that waits for its turn. */
const nextWaiting = async (ports: Ports, letter: Letter): Promise<Stored<Letter> | undefined> => {
  let { next } = letter
  while (next !== undefined) {
    const found = await findLetter(ports, letter.tenant, next)
    if (found?.value.state === 'WAITING' && found.value.conversation !== undefined) return found
    next = found?.value.next
  }
  return undefined
}

/** What has to be written with a letter that is settled: it is the turn of the next one, or the conversation rests. */
export const leaveConversation = async (ports: Ports, letter: Letter): Promise<Write[]> => {
  if (letter.conversation === undefined || letter.behind) return []
  const next = await nextWaiting(ports, letter)
  if (next) {
    const turn = { ...next.value, behind: undefined, visibleAt: ports.clock.now(), stamp: systemStamp('letter.turn') }
    return [putLetter(turn, { rev: next.rev })]
  }
  const key = conversationKey(letter)
  const stored = await ports.main.get<Conversation>(key)
  return stored ? [{ op: 'delete', key, expect: { rev: stored.rev } }] : []
}
