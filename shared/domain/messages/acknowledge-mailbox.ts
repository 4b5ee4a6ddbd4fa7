import type { Platform, Stored } from '../../platform/platform.ts'
import { compete } from '../contention.ts'
import { finish, type Inbox, type Letter, positionOf } from '../inboxes/letter.ts'
import { addToCount, findLetter, heldLetters } from '../inboxes/letter-store.ts'
import { saveLetter } from '../inboxes/save-letter.ts'
import { letterIdOf } from './deliver-message.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random'>

/** Changes a letter until nobody else came first; one that waits no more counts no more. `undefined`: there is none. */
export const settleLetter = async (
  ports: Ports,
  { tenant, id }: { tenant: string; id: string },
  change: (letter: Letter) => Letter,
): Promise<Letter | undefined> => {
  let start: Stored<Letter> | undefined
  const settled = await compete<Letter | undefined>(ports, `letter ${id}`, async () => {
    start = await findLetter(ports, tenant, id)
    const next = start && change(start.value)
    if (start === undefined || next === undefined || next === start.value) return { done: next }
    const saved = await saveLetter(ports, start, next)
    return saved && { done: saved }
  })
  if (start?.value.state === 'WAITING' && settled !== undefined && settled.state !== 'WAITING')
    await addToCount(ports, { tenant, id: settled.inbox }, -1)
  return settled
}

/** Messages of a mailbox are done and never come again. Answers those that are; the others are not there. */
export const acknowledgeMessages = async (ports: Ports, inbox: Inbox, messages: string[]): Promise<string[]> => {
  const { tenant } = inbox
  const now = ports.clock.now()
  const done = await Promise.all(
    messages.map((message) =>
      settleLetter(ports, { tenant, id: letterIdOf(inbox, message) }, (letter) => finish(letter, now)),
    ),
  )
  return messages.filter((_, at) => done[at]?.state === 'DONE')
}

const pageSize = 100

/** The same for all that somebody has, up to a position: what was never handed out stays. */
export const acknowledgeUpTo = async (ports: Ports, inbox: Inbox, position: string): Promise<string[]> => {
  const now = ports.clock.now()
  const held: string[] = []
  let cursor: string | undefined
  do {
    const page = await heldLetters(ports, inbox, { now, limit: pageSize, cursor })
    for (const { value } of page.items) if (positionOf(value) <= position) held.push(value.envelope.id)
    cursor = page.cursor
  } while (cursor !== undefined)
  return acknowledgeMessages(ports, inbox, held)
}
