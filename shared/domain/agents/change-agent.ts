import type { Platform, Stored } from '../../platform/platform.ts'
import { actorOf, type Caller, stamp } from '../caller.ts'
import { remind } from '../dispatch/due.ts'
import { DomainError } from '../domain-error.ts'
import { moveInstance } from '../instances/instance.ts'
import { changeInstance, liveInstancesOf } from '../instances/instance-store.ts'
import { nudge } from '../instances/nudge.ts'
import { type IfMatch, requireRev } from '../require-rev.ts'
import type { Agent, AgentConfiguration, Capability, HandledMessage } from './agent.ts'
import { getAgent, saveAgent } from './agent-store.ts'

export type AgentPatch = {
  type?: string
  /** `null` removes it. */
  description?: string | null
  resourceClass?: string
  capabilities?: Capability[]
  messages?: HandledMessage[]
  configuration?: AgentConfiguration
  labels?: Record<string, string>
}

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random'>

const requireActive = ({ value }: Stored<Agent>): void => {
  if (value.decommissionedAt !== undefined) throw new DomainError('CONFLICT', `agent ${value.name} is decommissioned`)
}

/** Replaces the fields that the patch names. */
export const patchAgent = async (
  ports: Ports,
  caller: Caller,
  idOrName: string,
  { patch, ifMatch }: { patch: AgentPatch; ifMatch?: IfMatch },
): Promise<Stored<Agent>> => {
  const found = await getAgent(ports, caller.tenant, idOrName)
  requireRev(`agent ${found.value.name}`, found, ifMatch)
  requireActive(found)
  const next = {
    ...found.value,
    ...patch,
    description: patch.description === null ? undefined : (patch.description ?? found.value.description),
  }
  return saveAgent(ports, found, { ...next, updatedAt: ports.clock.now(), stamp: stamp(caller, 'agent.patch') })
}

/**
 * Takes an agent out of service: no new tasks, its instances drain, its name is free again, its history stays. Its mail is
 * looked after next.
 */
export const decommissionAgent = async (
  ports: Ports & Pick<Platform, 'queues' | 'telemetry'>,
  caller: Caller,
  idOrName: string,
  ifMatch?: IfMatch,
): Promise<Agent> => {
  const found = await getAgent(ports, caller.tenant, idOrName)
  requireRev(`agent ${found.value.name}`, found, ifMatch)
  if (found.value.decommissionedAt !== undefined) return found.value
  const now = ports.clock.now()
  const gone = {
    state: 'OFFLINE' as const,
    detail: 'DECOMMISSIONED',
    decommissionedAt: now,
    dueAt: now,
    updatedAt: now,
  }
  const saved = await saveAgent(ports, found, { ...found.value, ...gone, stamp: stamp(caller, 'agent.decommission') })
  const { tenant, id } = saved.value
  await remind(ports, { tenant, id, at: now })
  await drainInstances(ports, caller, saved.value, 'the agent is decommissioned')
  return saved.value
}

/** Tells every instance to finish what it runs, to take nothing more, and to leave. */
export const drainInstances = async (ports: Ports, caller: Caller, agent: Agent, reason: string): Promise<void> => {
  const change = {
    detail: 'DRAINING',
    reason,
    by: actorOf(caller),
    at: ports.clock.now(),
  }
  await Promise.all(
    (await liveInstancesOf(ports, agent.tenant, agent.id)).map(async (start) => {
      await changeInstance(ports, start, (instance) => moveInstance(instance, 'MAINTENANCE', change))
      await nudge(ports, agent.tenant, start.value.id)
    }),
  )
}
