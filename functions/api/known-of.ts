import type { Agent, Capability } from '#shared/domain/agents/agent.ts'
import { agentsOffering, findAgent } from '#shared/domain/agents/agent-store.ts'
import { findQueue } from '#shared/domain/queues/queue-store.ts'
import type { Platform } from '#shared/platform/platform.ts'
import type { Capabilities, Known, Offer } from '#shared/workflow-language/validate/known.ts'
import type { Named } from '#shared/workflow-language/validate/named-by.ts'
import { storedWorkflowsOf } from './stored-workflows.ts'

/** What a tenant has of what a definition names. */
export const knownOf = async (platform: Platform, tenant: string, named: Named): Promise<Known> => {
  const [{ checkInput }, agents, capabilities, queues, workflows] = await Promise.all([
    import('./json-schema.ts'),
    presentOf(named.agents, async (name) => offersOf((await findAgent(platform, tenant, name))?.value)),
    presentOf(named.capabilities, async (name) => offerOf(await agentsOffering(platform, tenant, name), name)),
    presentOf(named.queues, (name) => findQueue(platform, tenant, name)),
    storedWorkflowsOf(platform, tenant, named.starts),
  ])
  return { agents, capabilities, queues: new Set(queues.keys()), workflows, checkInput }
}

/** Of some names those that there is something of. */
const presentOf = async <T>(
  names: string[],
  find: (name: string) => Promise<T | undefined>,
): Promise<Map<string, T>> => {
  const found = await Promise.all(names.map(async (name) => [name, await find(name)] as const))
  return new Map(found.flatMap(([name, one]) => (one === undefined ? [] : [[name, one] as const])))
}

const offersOf = (agent: Agent | undefined): Capabilities | undefined =>
  agent === undefined || agent.decommissionedAt !== undefined
    ? undefined
    : new Map(agent.capabilities.map((one) => [one.name, one]))

/** What all agents say that offer a capability. */
const offerOf = (agents: { value: Agent }[], name: string): Offer | undefined => {
  const all = agents.flatMap(({ value }) => value.capabilities.filter((one) => one.name === name))
  return all.length === 0
    ? undefined
    : { inputSchema: common(all, 'inputSchema'), outputSchema: common(all, 'outputSchema') }
}

const common = (all: Capability[], field: 'inputSchema' | 'outputSchema') =>
  new Set(all.map((one) => JSON.stringify(one[field]))).size === 1 ? all[0]?.[field] : undefined
