import type { Platform } from '../../platform/platform.ts'
import { changeLetter } from '../inboxes/change-letter.ts'
import { finish, type Inbox, positionOf } from '../inboxes/letter.ts'
import { heldLetters } from '../inboxes/letter-store.ts'
import { letterIdOf } from '../inboxes/new-letter.ts'
import { sideBySide } from '../side-by-side.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random'>

const atOnce = 50

/**
 * Messages of a mailbox are done and never come again. Answers those that are; the others are not there, or a task
 * handles them and is their end.
 */
export const acknowledgeMessages = async (ports: Ports, inbox: Inbox, messages: string[]): Promise<string[]> => {
  const { tenant } = inbox
  const now = ports.clock.now()
  const done = new Set<string>()
  await sideBySide(messages, atOnce, async (message) => {
    const of = { tenant, id: letterIdOf(inbox, message) }
    const letter = await changeLetter(ports, of, (one) => (one.handled ? one : finish(one, now)))
    if (letter?.state === 'DONE') done.add(message)
  })
  return messages.filter((message) => done.has(message))
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
