import type { Platform, Stored } from '../../platform/platform.ts'
import { actorOf, type Caller, stamp } from '../caller.ts'
import { DomainError, orThrow } from '../domain-error.ts'
import type { Agent } from './agent.ts'
import { getAgent, saveAgent } from './agent-store.ts'
import { drainInstances } from './change-agent.ts'
import { type AgentOperation, operateAgent as operate } from './lifecycle.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random'>

const tries = 5

/** Pauses, resumes, drains …: whoever comes second at the same moment is tried again on what the first one left. */
export const operateAgent = async (
  ports: Ports,
  caller: Caller,
  idOrName: string,
  { operation, reason }: { operation: AgentOperation; reason?: string },
): Promise<Stored<Agent>> => {
  for (let round = 1; ; round++)
    try {
      const found = await getAgent(ports, caller.tenant, idOrName)
      const saved = await save(ports, caller, found, { operation, reason })
      if (operation === 'drain') await drainInstances(ports, caller, saved.value, 'the agent is drained')
      return saved
    } catch (error) {
      if (round === tries || !(error instanceof DomainError) || error.code !== 'PRECONDITION_FAILED') throw error
    }
}

const save = async (
  ports: Ports,
  caller: Caller,
  found: Stored<Agent>,
  { operation, reason }: { operation: AgentOperation; reason?: string },
): Promise<Stored<Agent>> => {
  const next = orThrow(operate(found.value, operation, { by: actorOf(caller), at: ports.clock.now(), reason }))
  return next === found.value ? found : saveAgent(ports, found, { ...next, stamp: stamp(caller, `agent.${operation}`) })
}
