import type { AgentResponse } from '#shared/contracts/agents.ts'
import type { InstanceResponse } from '#shared/contracts/worker.ts'
import type { Client } from '../client/client.ts'
import { printFields, printJson, printTable, toQuery } from '../render/print.ts'

type ListOptions = {
  capability?: string
  type?: string
  state?: string
  label?: string[]
  query?: string
  limit: number
  json?: boolean
}

const columns = [
  { title: 'NAME' },
  { title: 'STATE' },
  { title: 'VERSION' },
  { title: 'RUNNING', align: 'right' as const },
  { title: 'CAPABILITIES', wrap: true },
]

/** Agents as a table. */
export const listAgents = async (client: Client, options: ListOptions): Promise<void> => {
  const { capability, type, state, label, query, limit } = options
  const page = await client.get<{ items: AgentResponse[] }>(
    `/agents${toQuery({ capability, type, state, label: label?.join(','), q: query, limit })}`,
  )
  if (options.json) return printJson(page)
  printTable(
    columns,
    page.items.map((agent) => [
      agent.name,
      agent.state,
      agent.version,
      `${agent.instances.running}/${agent.instances.slots}`,
      agent.capabilities.map(({ name }) => name).join(', '),
    ]),
    'no agents',
  )
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
    ['type', agent.type],
    ['description', agent.description],
    ['capabilities', agent.capabilities.map(({ name }) => name).join(', ')],
    ['slots', `${agent.instances.running} of ${agent.instances.slots} busy`],
    ['instances', live.map(({ id, state }) => `${id} ${state}`).join('\n') || 'none'],
  ])
}
