import type { Platform, Stored } from '../../platform/platform.ts'
import { type Agent, offers } from '../agents/agent.ts'
import { agentListPk } from '../agents/agent-store.ts'
import { remind } from '../dispatch/due.ts'
import { deliverOrBury } from './deliver-message.ts'
import { carrierOf, type MessagePorts } from './deliverers.ts'
import { mailboxOf } from './mailbox.ts'
import type { AgentChoice, Message } from './message.ts'
import { saveMessage } from './message-store.ts'

/** Agents that are looked at between two records of how far it came. */
const pageSize = 100
/** How long one pass works before it lets others, and is alone without a sign of life. */
const passMs = 20_000
const claimMs = 30_000

/** Whether a broadcast is for an agent: one that was there when it was sent, and did not send it. */
export const isFor = ({ to, from, createdAt }: Pick<Message, 'to' | 'from' | 'createdAt'>, agent: Agent): boolean => {
  if (to === undefined || !('filter' in to)) return false
  if (agent.id === from || agent.decommissionedAt !== undefined || agent.createdAt > createdAt) return false
  return meets(to.filter, agent)
}

const meets = ({ types, labels = {}, capability }: AgentChoice, agent: Agent): boolean =>
  (types === undefined || types.includes(agent.type)) &&
  (capability === undefined || offers(agent, capability)) &&
  Object.entries(labels).every(([key, value]) => agent.labels[key] === value)

const pageOfAgents = ({ main }: Pick<Platform, 'main'>, tenant: string, cursor: string | undefined) =>
  main.query<Agent>({ index: 'list', pk: agentListPk(tenant), order: 'descending', limit: pageSize, cursor })

/** One page of agents. An agent that has the message is not given it again. */
const step = async (ports: MessagePorts, current: Stored<Message>): Promise<Stored<Message> | undefined> => {
  const { value: message } = current
  const { cursor, recipients } = message.spread ?? { recipients: 0 }
  const page = await pageOfAgents(ports, message.tenant, cursor)
  const chosen = page.items.map(({ value }) => value).filter((agent) => isFor(message, agent))
  await Promise.all(chosen.map((agent) => deliverOrBury(ports, carrierOf(message), mailboxOf(agent))))
  const spread = { cursor: page.cursor, recipients: recipients + chosen.length }
  const isOver = page.cursor === undefined
  return saveMessage(ports, current, {
    ...message,
    spread,
    state: isOver ? 'SENT' : 'PENDING',
    dueAt: isOver ? message.envelope.expiresAt : ports.clock.now() + claimMs,
  })
}

/**
 * Gives a broadcast to every agent that it is for, page by page. Whoever breaks off is followed by another, who goes on
 * with the page.
 */
export const spreadMessage = async (ports: MessagePorts, found: Stored<Message>): Promise<void> => {
  const began = ports.clock.now()
  let current = await saveMessage(ports, found, { ...found.value, dueAt: began + claimMs })
  while (current?.value.state === 'PENDING' && ports.clock.now() < began + passMs) current = await step(ports, current)
  if (current?.value.state !== 'PENDING') return
  const { tenant, id } = current.value
  const now = ports.clock.now()
  if (await saveMessage(ports, current, { ...current.value, dueAt: now })) await remind(ports, { tenant, id, at: now })
}
