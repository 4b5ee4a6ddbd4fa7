import { DomainError } from '../domain-error.ts'
import { changeLetter } from '../inboxes/change-letter.ts'
import { bury, type DeadReason, type Letter } from '../inboxes/letter.ts'
import type { MessagePorts } from './deliverers.ts'
import { type ResponseCommand, respond } from './respond.ts'

/** Answers the request of a letter for the agent that it was sent to; one that was answered stays so. */
export const answerFor = async (
  ports: MessagePorts,
  { tenant, id, inbox, envelope }: Letter,
  response: ResponseCommand,
): Promise<void> => {
  if (envelope.kind !== 'request') return
  try {
    await respond(ports, { tenant, principal: { kind: 'host', agent: inbox }, requestId: id }, envelope.id, response)
  } catch (error) {
    if (!(error instanceof DomainError) || !['ALREADY_ANSWERED', 'NOT_FOUND'].includes(error.code)) throw error
  }
}

/** How whoever asked is told that nobody could. */
export const failureOf = ({ envelope }: Letter, reason: DeadReason): ResponseCommand => ({
  type: `${envelope.type}.failed`,
  data: reason,
})

/** Gives up a letter that waits: whoever asked with it is told first, so that nothing is missed by breaking off. */
export const failLetter = async (ports: MessagePorts, letter: Letter, reason: DeadReason): Promise<void> => {
  await answerFor(ports, letter, failureOf(letter, reason))
  await changeLetter(ports, letter, (current) => bury(current, ports.clock.now(), reason))
}
