import type { Platform } from '../../platform/platform.ts'
import type { Agent } from '../agents/agent.ts'
import { findAgent, getAgent } from '../agents/agent-store.ts'
import { formerAgent } from '../agents/former-agent.ts'
import type { Caller } from '../caller.ts'
import { DomainError } from '../domain-error.ts'
import type { Inbox } from '../inboxes/letter.ts'
import { getInstance } from '../instances/instance-store.ts'

/** The mailbox of an agent: there from its registration on, whether it runs or not. */
export const mailboxOf = ({ tenant, id, messages }: Pick<Agent, 'tenant' | 'id' | 'messages'>): Inbox => ({
  tenant,
  id,
  visibilityMs: 30_000,
  backOffMs: 1000,
  mostReceives: 5,
  most: 10_000,
  references: true,
  ...(messages && { handles: messages.map(({ type }) => type) }),
})

/** The mailbox that a message for an agent goes into. */
export const openMailbox = async (ports: Pick<Platform, 'main'>, tenant: string, name: string): Promise<Inbox> => {
  const { value: agent } = await getAgent(ports, tenant, name)
  if (agent.decommissionedAt === undefined) return mailboxOf(agent)
  throw new DomainError('CONFLICT', `agent ${agent.name} is decommissioned and gets no more messages`)
}

/** The agent that an instance or a host acts for; `undefined`: the caller is neither. */
export const agentOfCaller = async (
  ports: Pick<Platform, 'main'>,
  { tenant, principal }: Caller,
): Promise<Agent | undefined> => {
  if (principal.kind === 'host') return (await getAgent(ports, tenant, principal.agent)).value
  if (principal.kind !== 'instance') return undefined
  const { value: instance } = await getInstance(ports, tenant, principal.id)
  return (await getAgent(ports, tenant, instance.agent)).value
}

/** Who has the name, or had it last. */
const nowOrBefore = async (ports: Pick<Platform, 'main'>, tenant: string, name: string): Promise<Agent> => {
  const found = await findAgent(ports, tenant, name)
  if (found) return found.value
  return (await getAgent(ports, tenant, (await formerAgent(ports, tenant, name)) ?? name)).value
}

/** The agent whose mailbox a caller opens, also after its end: an instance that of its own alone. */
export const ownerOfMailbox = async (ports: Pick<Platform, 'main'>, caller: Caller, name: string): Promise<Agent> => {
  const [agent, own] = await Promise.all([nowOrBefore(ports, caller.tenant, name), agentOfCaller(ports, caller)])
  if (own !== undefined && own.id !== agent.id)
    throw new DomainError('FORBIDDEN', `this token is one of agent ${own.name}, not of ${agent.name}`)
  return agent
}
