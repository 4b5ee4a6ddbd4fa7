import type { Platform, Stored } from '../../platform/platform.ts'
import { liveLoads } from '../dispatch/find-target.ts'
import { hasLabel, type WantedLabel } from '../wanted-label.ts'
import { type Agent, type AgentState, shownState } from './agent.ts'
import { agentListPk, pageOfOffers } from './agent-store.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock'>

/** An agent as a reader sees it: with the state that its live instances give it. */
export type DescribedAgent = {
  agent: Agent
  rev: string
  state: AgentState
  detail: string
  instances: { live: number; slots: number; running: number }
}

export const describeAgent = async (ports: Ports, { value: agent, rev }: Stored<Agent>): Promise<DescribedAgent> => {
  const live = agent.decommissionedAt === undefined ? await liveLoads(ports, agent) : []
  const sum = (pick: (load: (typeof live)[number]) => number) => live.reduce((total, load) => total + pick(load), 0)
  const instances = { live: live.length, slots: sum(({ slots }) => slots), running: sum(({ running }) => running) }
  return { agent, rev, ...shownState(agent, live, ports.clock.now()), instances }
}

export type AgentFilter = {
  capability?: string
  type?: string
  state?: AgentState
  labels: WantedLabel[]
  q?: string
}

const matches = (filter: AgentFilter, { agent, state }: DescribedAgent): boolean =>
  [
    filter.type === undefined || agent.type === filter.type,
    filter.state === undefined || state === filter.state,
    filter.capability === undefined || agent.capabilities.some(({ name }) => name === filter.capability),
    filter.labels.every((wanted) => hasLabel(agent.labels, wanted)),
    filter.q === undefined || textOf(agent).includes(filter.q.toLowerCase()),
  ].every(Boolean)

const textOf = (agent: Agent): string =>
  [
    agent.name,
    agent.type,
    agent.description ?? '',
    ...agent.capabilities.flatMap((one) => [one.name, one.description ?? '']),
  ]
    .join('\n')
    .toLowerCase()

/** So many agents are looked at for one page: a rare filter gives short pages, never a slow one. */
const maxExamined = 1000

/** Newest first. `cursor` goes on where the last page ended. */
export const listAgents = async (
  ports: Ports,
  tenant: string,
  { filter, limit, cursor }: { filter: AgentFilter; limit: number; cursor?: string },
): Promise<{ items: DescribedAgent[]; cursor?: string }> => {
  if (filter.capability !== undefined) return discover(ports, tenant, { filter, limit, cursor })
  const items: DescribedAgent[] = []
  let examined = 0
  let next = cursor
  do {
    const room = limit - items.length
    const page = await ports.main.query<Agent>({
      index: 'list',
      pk: agentListPk(tenant),
      order: 'descending',
      limit: room,
      cursor: next,
    })
    const described = await Promise.all(page.items.map((item) => describeAgent(ports, item)))
    items.push(...described.filter((one) => matches(filter, one)))
    next = page.cursor
    examined += room
  } while (next !== undefined && items.length < limit && examined < maxExamined)
  return { items, cursor: next }
}

/** Who offers a capability: by its own index, so that discovery does not read every agent. */
const discover = async (
  ports: Ports,
  tenant: string,
  { filter, limit, cursor }: { filter: AgentFilter; limit: number; cursor?: string },
): Promise<{ items: DescribedAgent[]; cursor?: string }> => {
  const page = await pageOfOffers(ports, { tenant, capability: filter.capability ?? '', limit, cursor })
  const described = await Promise.all(page.agents.map((item) => describeAgent(ports, item)))
  return { items: described.filter((one) => matches(filter, one)), cursor: page.cursor }
}
