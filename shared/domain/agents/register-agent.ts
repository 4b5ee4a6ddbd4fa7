import type { Platform } from '../../platform/platform.ts'
import { type Caller, stamp } from '../caller.ts'
import { laneQueues } from '../dispatch/lanes.ts'
import { DomainError } from '../domain-error.ts'
import { digest, idFor } from '../ids.ts'
import { requireKept, requireSame } from '../require-same.ts'
import { type Agent, type AgentConfiguration, type Capability, type HandledMessage, stateDetails } from './agent.ts'
import { createAgent, findAgent } from './agent-store.ts'

export type RegisterCommand = {
  name: string
  type: string
  version: string
  description?: string
  resourceClass?: string
  capabilities: Capability[]
  messages?: HandledMessage[]
  configuration: AgentConfiguration
  labels: Record<string, string>
  idempotencyKey?: string
}

type Ports = Pick<Platform, 'main' | 'clock' | 'random' | 'queues'>

/** Makes a new agent with its first version. The name must be free; a repeated registration answers the first one. */
export const registerAgent = async (ports: Ports, caller: Caller, command: RegisterCommand): Promise<Agent> => {
  const { idempotencyKey, ...fields } = command
  const now = ports.clock.now()
  const agent: Agent = {
    ...fields,
    id: idFor('agt', caller.tenant, idempotencyKey, ports),
    tenant: caller.tenant,
    state: 'REGISTERED',
    detail: stateDetails.REGISTERED,
    registered: digest(fields),
    createdAt: now,
    updatedAt: now,
    stamp: stamp(caller, 'agent.register'),
  }
  const repeated = idempotencyKey === undefined ? undefined : await findAgent(ports, caller.tenant, agent.id)
  if (repeated) return sameOrConflict(repeated.value, agent, idempotencyKey)
  await Promise.all(
    laneQueues(caller.tenant, { agent: agent.id, version: agent.version }).map(({ queue }) =>
      ports.queues.ensure(queue),
    ),
  )
  const taken = await createAgent(ports, agent)
  if (taken === undefined) return agent
  const winner = taken.takenBy === agent.id ? await findAgent(ports, caller.tenant, agent.id) : undefined
  if (winner) return sameOrConflict(winner.value, agent, idempotencyKey)
  throw new DomainError(
    'NAME_TAKEN',
    `the agent name ${agent.name} is taken by ${taken.takenBy}; choose another name or change that agent`,
  )
}

const sameOrConflict = (stored: Agent, wanted: Agent, key: string | undefined): Agent => {
  requireKept(`agent ${stored.name}`, key, stored.decommissionedAt !== undefined)
  requireSame(`agent ${stored.name}`, key, { before: stored.registered, now: wanted.registered })
  return stored
}
