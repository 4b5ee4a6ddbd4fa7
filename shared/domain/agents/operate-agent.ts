import type { Platform, Stored } from '../../platform/platform.ts'
import { actorOf, type Caller, stamp } from '../caller.ts'
import { compete } from '../contention.ts'
import { DomainError, orThrow } from '../domain-error.ts'
import type { Agent } from './agent.ts'
import { getAgent, saveAgent } from './agent-store.ts'
import { drainInstances } from './change-agent.ts'
import { type AgentOperation, operateAgent as operate, scaleAgent as scale, sendsAway } from './lifecycle.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random'>
type Why = { by: string; at: number; reason?: string }

/** Pauses, resumes, drains …; instances that are to leave are told at once, later ones with their first heartbeat. */
export const operateAgent = async (
  ports: Ports,
  caller: Caller,
  idOrName: string,
  { operation, reason }: { operation: AgentOperation; reason?: string },
): Promise<Stored<Agent>> => {
  const change: Change = { action: operation, reason, move: (agent, why) => orThrow(operate(agent, operation, why)) }
  const saved = await changeAgent(ports, caller, idOrName, change)
  if (sendsAway(saved.value))
    await drainInstances(ports, caller, saved.value, `the agent is in ${saved.value.state} (${saved.value.detail})`)
  return saved
}

/** Says how many copies the agent's host keeps; `undefined`: as many as its work needs. */
export const scaleAgent = (
  ports: Ports,
  caller: Caller,
  idOrName: string,
  { instances, reason }: { instances?: number; reason?: string },
): Promise<Stored<Agent>> =>
  changeAgent(ports, caller, idOrName, { action: 'scale', reason, move: (agent, why) => scale(agent, instances, why) })

type Change = { action: string; reason?: string; move: (agent: Agent, why: Why) => Agent }

/** Whoever comes second at the same moment is tried again on what the first one left. */
const changeAgent = (ports: Ports, caller: Caller, idOrName: string, change: Change): Promise<Stored<Agent>> =>
  compete(ports, `agent ${idOrName}`, async () => {
    try {
      return { done: await save(ports, caller, await getAgent(ports, caller.tenant, idOrName), change) }
    } catch (error) {
      if (!(error instanceof DomainError) || error.code !== 'PRECONDITION_FAILED') throw error
      return undefined
    }
  })

const save = async (
  ports: Ports,
  caller: Caller,
  found: Stored<Agent>,
  { action, reason, move }: Change,
): Promise<Stored<Agent>> => {
  const next = move(found.value, { by: actorOf(caller), at: ports.clock.now(), reason })
  return next === found.value ? found : saveAgent(ports, found, { ...next, stamp: stamp(caller, `agent.${action}`) })
}
