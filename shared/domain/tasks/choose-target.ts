import type { Platform } from '../../platform/platform.ts'
import { type Agent, offers, takesWork } from '../agents/agent.ts'
import { getAgent } from '../agents/agent-store.ts'
import { findTarget, targetOf } from '../dispatch/find-target.ts'
import { DomainError, invalid } from '../domain-error.ts'
import type { SubmitCommand } from './submit-command.ts'
import type { Target } from './task.ts'

type Ports = Omit<Platform, 'feed' | 'bus' | 'hosts' | 'generation'>

/** Who is to do a task: an agent and its version, unless nobody offers the capability yet. */
export type Choice = { agent?: Agent; target?: Target; capability?: string }

/** The agent that the command names, else one that offers the capability. */
export const chooseTarget = async (ports: Ports, tenant: string, command: SubmitCommand): Promise<Choice> => {
  if (command.agent !== undefined) return chooseNamed(ports, tenant, command.agent, command)
  const target = await findTarget(ports, tenant, command.capability ?? '')
  const agent = target && (await getAgent(ports, tenant, target.agent)).value
  return { agent, target, capability: command.capability }
}

const chooseNamed = async (ports: Ports, tenant: string, name: string, command: SubmitCommand): Promise<Choice> => {
  const agent = (await getAgent(ports, tenant, name)).value
  if (!takesWork(agent))
    throw new DomainError('CONFLICT', `agent ${agent.name} is decommissioned and takes no more tasks`)
  if (command.version !== undefined && command.version !== agent.version)
    throw invalid(
      '#/version',
      'UNKNOWN_VERSION',
      `agent ${agent.name} has no version ${command.version}; it has ${agent.version}`,
    )
  const names = agent.capabilities.map((one) => one.name)
  if (command.capability !== undefined && !offers(agent, command.capability))
    throw invalid(
      '#/capability',
      'NOT_OFFERED',
      `agent ${agent.name} does not offer ${command.capability}; it offers ${names.join(', ') || 'nothing'}`,
    )
  return {
    agent,
    target: targetOf(agent),
    capability: command.capability ?? (names.length === 1 ? names[0] : undefined),
  }
}
