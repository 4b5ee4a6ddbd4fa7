import type { Platform } from '../../platform/platform.ts'
import { type Inbox, revive } from '../inboxes/letter.ts'
import { addToCount } from '../inboxes/letter-store.ts'
import { reviveLetters } from '../inboxes/settle-letters.ts'
import { settleLetter } from './acknowledge-mailbox.ts'
import { letterIdOf } from './deliver-message.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random'>

const atOnce = 50

/** Dead letters of these messages, or the newest ones, wait again. Answers how many. */
export const redriveMail = async (ports: Ports, inbox: Inbox, messages: string[] | undefined): Promise<number> => {
  if (messages === undefined) return reviveLetters(ports, inbox, atOnce)
  const revived = await Promise.all(
    messages.map(async (message) => {
      let isRevived = false
      await settleLetter(ports, { tenant: inbox.tenant, id: letterIdOf(inbox, message) }, (letter) => {
        isRevived = letter.state === 'DEAD'
        return isRevived ? revive(letter, ports.clock.now()) : letter
      })
      if (isRevived) await addToCount(ports, inbox, 1)
      return isRevived
    }),
  )
  return revived.filter(Boolean).length
}
