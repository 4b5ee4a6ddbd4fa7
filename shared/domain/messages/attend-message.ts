import { changeLetter } from '../inboxes/change-letter.ts'
import { expire, isForTask } from '../inboxes/letter.ts'
import { lettersOf } from '../inboxes/letter-store.ts'
import { expireRequestStep } from '../workflows/steps/end-request-step.ts'
import { bringResponse } from './bring-response.ts'
import type { MessagePorts } from './deliverers.ts'
import { changeMessage, findMessage } from './message-store.ts'
import { spreadMessage } from './spread-message.ts'

const pageSize = 100

/**
 * What of a message still waits when its time is over is a dead letter. Answers when the first comes back of those that
 * somebody has.
 */
const expireLetters = async (ports: MessagePorts, tenant: string, message: string): Promise<number | undefined> => {
  const held: number[] = []
  let cursor: string | undefined
  do {
    const page = await lettersOf(ports, { tenant, message, limit: pageSize, cursor })
    const open = page.items.filter(({ value }) => value.state === 'WAITING' && !isForTask(value)) // its task ends with it
    const left = await Promise.all(
      open.map(({ value }) => changeLetter(ports, value, (letter) => expire(letter, ports.clock.now()))),
    )
    held.push(...left.flatMap((letter) => (letter?.state === 'WAITING' ? [letter.visibleAt] : [])))
    cursor = page.cursor
  } while (cursor !== undefined)
  return held.length > 0 ? Math.min(...held) : undefined
}

/** Does what is due for a message: brings it to those who do not have it yet, and ends it with its time. */
export const attendMessage = async (ports: MessagePorts, tenant: string, id: string): Promise<void> => {
  const found = await findMessage(ports, tenant, id)
  const now = ports.clock.now()
  if (found === undefined || (found.value.dueAt ?? Number.POSITIVE_INFINITY) > now) return
  if (found.value.state === 'PENDING')
    return found.value.spread ? spreadMessage(ports, found) : bringResponse(ports, tenant, id)
  await expireRequestStep(ports, found.value)
  const dueAt = await expireLetters(ports, tenant, id)
  await changeMessage(ports, found, (message) => ({ ...message, dueAt }))
}
