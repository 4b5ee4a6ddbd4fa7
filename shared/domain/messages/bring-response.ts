import { findAgent } from '../agents/agent-store.ts'
import { endRequestStep } from '../workflows/steps/end-request-step.ts'
import { deliverOrBury } from './deliver-message.ts'
import { carrierOf, type MessagePorts } from './deliverers.ts'
import { mailboxOf } from './mailbox.ts'
import type { Message } from './message.ts'
import { changeMessage, findMessage } from './message-store.ts'

/**
 * Brings a stored response to the step of a run that waits for it, and to the mailbox that it was asked for in. Broken
 * off, it is done again when it is due.
 */
export const bringResponse = async (ports: MessagePorts, tenant: string, id: string): Promise<void> => {
  const found = await findMessage(ports, tenant, id)
  if (found?.value.state !== 'PENDING') return
  await endRequestStep(ports, found.value)
  await toMailbox(ports, found.value)
  await changeMessage(ports, found, (message) => ({ ...message, state: 'SENT', dueAt: message.envelope.expiresAt }))
}

const toMailbox = async (ports: MessagePorts, response: Message): Promise<void> => {
  const { tenant, to } = response
  if (to === undefined || !('agent' in to)) return
  const agent = (await findAgent(ports, tenant, to.agent))?.value
  if (agent && agent.decommissionedAt === undefined) await deliverOrBury(ports, carrierOf(response), mailboxOf(agent))
}
