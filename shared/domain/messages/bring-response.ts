import { findAgent } from '../agents/agent-store.ts'
import { deliverOrBury } from './deliver-message.ts'
import { carrierOf, type MessagePorts } from './deliverers.ts'
import { mailboxOf } from './mailbox.ts'
import { changeMessage, findMessage } from './message-store.ts'

/** Brings a stored response to the mailbox that it was asked for in. Broken off, it is done again when it is due. */
export const bringResponse = async (ports: MessagePorts, tenant: string, id: string): Promise<void> => {
  const found = await findMessage(ports, tenant, id)
  const to = found?.value.to
  if (found?.value.state !== 'PENDING' || to === undefined || !('agent' in to)) return
  const agent = (await findAgent(ports, tenant, to.agent))?.value
  if (agent && agent.decommissionedAt === undefined)
    await deliverOrBury(ports, carrierOf(found.value), mailboxOf(agent))
  await changeMessage(ports, found, (message) => ({ ...message, state: 'SENT', dueAt: message.envelope.expiresAt }))
}
