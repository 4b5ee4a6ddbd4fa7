import type { Platform } from '../../platform/platform.ts'
import { changeLetter } from '../inboxes/change-letter.ts'
import { type Inbox, revive } from '../inboxes/letter.ts'
import { letterIdOf } from '../inboxes/new-letter.ts'
import { reviveLetters } from '../inboxes/settle-letters.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random'>

const atOnce = 50

/** Dead letters of these messages, or the newest ones, wait again. Answers how many. */
export const redriveMail = async (ports: Ports, inbox: Inbox, messages: string[] | undefined): Promise<number> => {
  if (messages === undefined) return reviveLetters(ports, inbox, atOnce)
  const revived = await Promise.all(
    messages.map(async (message) => {
      let isRevived = false
      await changeLetter(ports, { tenant: inbox.tenant, id: letterIdOf(inbox, message) }, (letter) => {
        isRevived = letter.state === 'DEAD'
        return isRevived ? revive(letter, ports.clock.now()) : letter
      })
      return isRevived
    }),
  )
  return revived.filter(Boolean).length
}
