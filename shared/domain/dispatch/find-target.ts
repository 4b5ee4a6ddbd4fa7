import type { Platform } from '../../platform/platform.ts'
import { type Agent, takesWork } from '../agents/agent.ts'
import { agentsOffering } from '../agents/agent-store.ts'
import { findLeases, liveInstancesOf } from '../instances/instance-store.ts'
import type { Target } from '../tasks/task.ts'
import { laneQueues } from './lanes.ts'
import { type Candidate, route } from './route.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'queues' | 'clock' | 'random'>

export const targetOf = (agent: Agent): Target => ({ agent: agent.id, agentName: agent.name, version: agent.version })

/** Who does tasks of a capability: capability → weight → backlog. `undefined`: nobody offers it. */
export const findTarget = async (ports: Ports, tenant: string, capability: string): Promise<Target | undefined> => {
  const agents = (await agentsOffering(ports, tenant, capability)).map(({ value }) => value).filter(takesWork)
  const [only, ...others] = agents
  if (only === undefined || others.length === 0) return only && targetOf(only)
  const candidates = await Promise.all(agents.map((agent) => toCandidate(ports, agent)))
  const chosen = route(candidates, ports.random.number())
  return chosen && { agent: chosen.agent, agentName: chosen.agentName, version: chosen.version }
}

const toCandidate = async (ports: Ports, agent: Agent): Promise<Candidate> => {
  const target = targetOf(agent)
  const [depths, live] = await Promise.all([
    Promise.all(laneQueues(agent.tenant, target).map(({ queue }) => ports.queues.depth(queue))),
    liveLoads(ports, agent),
  ])
  const waiting = depths.reduce((sum, depth) => sum + depth.waiting, 0)
  const running = live.reduce((sum, load) => sum + load.running, 0)
  return { ...target, weight: 100, slots: live.reduce((sum, load) => sum + load.slots, 0), backlog: waiting + running }
}

/** What the live instances of an agent do now, as of their last sign of life. */
export const liveLoads = async (ports: Pick<Platform, 'main' | 'volatile' | 'clock'>, agent: Agent) => {
  const up = await liveInstancesOf(ports, agent.tenant, agent.id)
  const leases = await findLeases(
    ports,
    agent.tenant,
    up.map(({ value }) => value.id),
  )
  return leases.filter((lease) => lease !== undefined && lease.expiresAt > ports.clock.now()) as NonNullable<
    (typeof leases)[number]
  >[]
}
