import type { AgentResponse } from '#shared/contracts/agents.ts'
import type { InstanceResponse } from '#shared/contracts/worker.ts'
import type { Client } from '../client/client.ts'
import { toQuery } from '../client/query.ts'
import { noteMore, printFields, printJson, printTable } from '../render/print.ts'
import type { Column } from '../render/table.ts'
import { plain } from '../render/terminal.ts'

export type ListAgentsOptions = {
  capability?: string
  type?: string
  state?: string
  label?: string[]
  query?: string
  limit: number
  cursor?: string
  json?: boolean
}

const columns: Column[] = [
  { title: 'NAME' },
  { title: 'STATE' },
  { title: 'VERSION' },
  { title: 'BUSY', align: 'right' },
  { title: 'CAPABILITIES', wrap: true },
]

/** Details that say no more than the state does. */
const usual = new Set(['PENDING', 'STARTING', 'READY', 'WORKING', 'WAITING', 'STOPPED', 'FAILED', 'UPDATING'])

const toRow = ({ name, state, detail, version, instances, capabilities }: AgentResponse): string[] => [
  name,
  usual.has(detail) ? state : `${state} (${detail})`,
  version,
  `${instances.running}/${instances.slots}`,
  capabilities.map((one) => one.name).join(', '),
]

/** Agents as a table. */
export const listAgents = async (client: Client, options: ListAgentsOptions): Promise<void> => {
  const { capability, type, state, label, query: q, limit, cursor } = options
  const query = toQuery({ capability, type, state, label: label?.join(','), q, limit, cursor })
  const page = await client.get<{ items: AgentResponse[]; nextCursor: string | null }>(`/agents${query}`)
  if (options.json) return printJson(page)
  printTable(columns, page.items.map(toRow), 'no agents')
  noteMore(page)
}

/** One agent, with its instances. */
export const getAgent = async (client: Client, name: string, { json }: { json?: boolean }): Promise<void> => {
  const path = `/agents/${encodeURIComponent(name)}`
  const agent = await client.get<AgentResponse>(path)
  if (json) return printJson(agent)
  const { items } = await client.get<{ items: InstanceResponse[] }>(`${path}/instances`)
  const live = items.filter(({ state }) => state !== 'OFFLINE')
  printFields([
    ['name', agent.name],
    ['id', agent.id],
    ['state', `${agent.state} (${agent.detail})`],
    ['version', agent.version],
    ['type', plain(agent.type)],
    ['description', agent.description && plain(agent.description)],
    ['capabilities', agent.capabilities.map(describeCapability).join('\n') || 'none'],
    ['slots', `${agent.instances.running} of ${agent.instances.slots} busy`],
    ['instances', live.map(({ id, state }) => `${id} ${state}`).join('\n') || 'none'],
  ])
}

const describeCapability = ({ name, description }: AgentResponse['capabilities'][number]): string =>
  description ? `${name}: ${plain(description)}` : name
