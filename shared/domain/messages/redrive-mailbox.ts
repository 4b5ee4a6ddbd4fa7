import type { Platform } from '../../platform/platform.ts'
import { reviveLetter } from '../inboxes/change-letter.ts'
import type { Inbox } from '../inboxes/letter.ts'
import { letterIdOf } from '../inboxes/new-letter.ts'
import { ifRoom } from '../inboxes/room.ts'
import { reviveLetters } from '../inboxes/settle-letters.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random'>

const atOnce = 50

/** Dead letters of these messages, or the newest ones, wait again while there is room. Answers how many. */
export const redriveMail = async (ports: Ports, inbox: Inbox, messages: string[] | undefined): Promise<number> => {
  if (messages === undefined) return reviveLetters(ports, inbox, atOnce)
  const revived = await Promise.all(
    messages.map((message) => {
      const of = { tenant: inbox.tenant, id: letterIdOf(inbox, message) }
      return ifRoom(ports, inbox, () => reviveLetter(ports, of, ({ state }) => state === 'DEAD'))
    }),
  )
  return revived.filter(Boolean).length
}
