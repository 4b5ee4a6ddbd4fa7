import type { Platform } from '../../platform/platform.ts'
import type { Agent } from '../agents/agent.ts'
import { getAgent } from '../agents/agent-store.ts'
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

/** The agent whose mailbox a caller opens: an instance that of its own alone. */
export const ownerOfMailbox = async (ports: Pick<Platform, 'main'>, caller: Caller, name: string): Promise<Agent> => {
  const [{ value: agent }, own] = await Promise.all([
    getAgent(ports, caller.tenant, name),
    agentOfCaller(ports, caller),
  ])
  if (own !== undefined && own.id !== agent.id)
    throw new DomainError('FORBIDDEN', `this token is one of agent ${own.name}, not of ${agent.name}`)
  return agent
}
