import type { Platform } from '../../platform/platform.ts'
import { type Agent, takesWork } from '../agents/agent.ts'
import { agentsOffering } from '../agents/agent-store.ts'
import { handsOut } from '../agents/lifecycle.ts'
import type { Instance, InstanceLease } from '../instances/instance.ts'
import { findLeases, liveInstancesOf } from '../instances/instance-store.ts'
import type { Requirements, Target, Task } from '../tasks/task.ts'
import { laneQueues } from './lanes.ts'
import { performanceOf } from './performance.ts'
import { hasLabels, unmetBy } from './requirements.ts'
import { type Candidate, type Decision, route, type Wish } from './route.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'queues' | 'clock' | 'random'>

export const targetOf = (agent: Agent): Target => ({ agent: agent.id, agentName: agent.name, version: agent.version })

/** Who is to do a task, and how that was decided. `blockedBy` instead of a target: nobody can yet. */
export type Found = { agent?: Agent; target?: Target; routing?: Task['routing']; blockedBy?: Task['blockedBy'] }

/** Whether the schema of an agent's capability takes the input of a task. */
export type Takes = (agent: Agent) => Promise<boolean>

/**
 * Who does tasks of a capability. Where one agent offers it there is nothing to weigh, and nothing more is read. An
 * agent whose schema refuses the input is no candidate while another's takes it.
 */
export const findTarget = async (
  ports: Ports,
  tenant: string,
  capability: string,
  { takes, ...wish }: Wish & { takes?: Takes },
): Promise<Found> => {
  const offering = (await agentsOffering(ports, tenant, capability)).map(({ value }) => value).filter(takesWork)
  const agents = takes && offering.length > 1 ? await thoseThat(takes, offering) : offering
  const [only, ...others] = agents
  if (only === undefined) return { blockedBy: nobody(`no agent offers ${capability}`) }
  if (others.length > 0) return weigh(ports, agents, capability, wish)
  const problem = await problemOf(ports, only, wish.requirements)
  if (problem !== undefined)
    return { blockedBy: nobody(`no agent that offers ${capability} can: ${only.name}: ${problem}`) }
  const input = offering.length > 1 ? ' for such an input' : ''
  return { agent: only, target: targetOf(only), routing: { reason: `only ${only.name} offers ${capability}${input}` } }
}

/** All of them when there is none: then it is the input that is refused. */
const thoseThat = async (takes: Takes, agents: Agent[]): Promise<Agent[]> => {
  const taken = await Promise.all(agents.map(takes))
  return taken.includes(true) ? agents.filter((_, at) => taken[at]) : agents
}

const nobody = (why: string): Task['blockedBy'] => ({
  code: 'NO_CAPABLE_AGENT',
  message: `${why}; the task runs as soon as one can`,
})

const weigh = async (ports: Ports, agents: Agent[], capability: string, wish: Wish): Promise<Found> => {
  const known = await performanceOf(
    ports,
    agents[0]?.tenant ?? '',
    agents.map(({ id }) => id),
  )
  const candidates = await Promise.all(
    agents.map(async (agent, at) => ({
      ...(await toCandidate(ports, agent, wish.requirements)),
      performance: known[at],
    })),
  )
  const decision = route(candidates, wish, ports.random.number())
  const { chosen } = decision
  if (chosen === undefined) return { blockedBy: nobody(unmetMessage(capability, decision)) }
  const { agent, agentName, version } = chosen
  return {
    agent: agents.find(({ id }) => id === agent),
    target: { agent, agentName, version },
    routing: routingOf(chosen, decision, capability),
  }
}

/** So many of those that cannot are named. */
const mostNamed = 3

const unmetMessage = (capability: string, { unmet }: Decision): string => {
  const more = unmet.length > mostNamed ? ` and ${unmet.length - mostNamed} more` : ''
  return `no agent that offers ${capability} can: ${unmet.slice(0, mostNamed).join('; ')}${more}`
}

const routingOf = ({ agentName }: Candidate, { scored }: Decision, capability: string): Task['routing'] =>
  scored.length > 1
    ? { reason: `${agentName} has the best score for ${capability}`, candidates: scored }
    : { reason: `only ${agentName} offers ${capability} and meets the requirements` }

/** The first requirement that an agent does not meet. Instances are only looked at for labels that are not its own. */
export const problemOf = async (
  ports: Pick<Platform, 'main' | 'volatile' | 'clock'>,
  agent: Agent,
  wanted: Requirements | undefined,
): Promise<string | undefined> => {
  if (unmetBy({ ...agent, instances: [] }, wanted) === undefined) return undefined
  const instances = hasLabels(wanted?.labels, agent.labels)
    ? []
    : (await liveOf(ports, agent)).filter(isOpen).map(labelsOf)
  return unmetBy({ ...agent, instances }, wanted)
}

export type Live = { instance: Instance; lease: InstanceLease }
const labelsOf = ({ instance }: Live) => instance.labels
/** One that drains is nobody's hope. */
const isOpen = ({ instance }: Live): boolean => instance.state === 'ONLINE'

const toCandidate = async (ports: Ports, agent: Agent, wanted: Requirements | undefined): Promise<Candidate> => {
  const target = targetOf(agent)
  const [depths, live] = await Promise.all([
    Promise.all(laneQueues(agent.tenant, target).map(({ queue }) => ports.queues.depth(queue))),
    liveOf(ports, agent),
  ])
  const open = live.filter(isOpen)
  const fitting = open.filter((one) => hasLabels(wanted?.labels, agent.labels, labelsOf(one)))
  const waiting = depths.reduce((sum, depth) => sum + depth.waiting, 0)
  const running = live.reduce((sum, { lease }) => sum + lease.running, 0)
  const slots = handsOut(agent) ? fitting.reduce((sum, { lease }) => sum + lease.slots, 0) : 0
  const { resourceClass, labels } = agent
  return {
    ...target,
    resourceClass,
    labels,
    instances: open.map(labelsOf),
    weight: 100,
    slots,
    backlog: waiting + running,
  }
}

/** The live instances of an agent, and what they do as of their last sign of life. */
export const liveOf = async (ports: Pick<Platform, 'main' | 'volatile' | 'clock'>, agent: Agent): Promise<Live[]> => {
  const up = await liveInstancesOf(ports, agent.tenant, agent.id)
  const leases = await findLeases(
    ports,
    agent.tenant,
    up.map(({ value }) => value.id),
  )
  return up.flatMap(({ value: instance }, at) => {
    const lease = leases[at]
    return lease !== undefined && lease.expiresAt > ports.clock.now() ? [{ instance, lease }] : []
  })
}

/** What the live instances of an agent do now, as of their last sign of life. */
export const liveLoads = async (
  ports: Pick<Platform, 'main' | 'volatile' | 'clock'>,
  agent: Agent,
): Promise<InstanceLease[]> => (await liveOf(ports, agent)).map(({ lease }) => lease)
