import type { AgentResponse, Capability } from '#shared/contracts/agents.ts'
import type { OperationOf } from '#shared/contracts/operations.ts'
import type { InstanceResponse } from '#shared/contracts/worker.ts'
import { getAgent } from '#shared/domain/agents/agent-store.ts'
import { decommissionAgent, patchAgent } from '#shared/domain/agents/change-agent.ts'
import { type DescribedAgent, describeAgent, listAgents } from '#shared/domain/agents/describe-agent.ts'
import { registerAgent } from '#shared/domain/agents/register-agent.ts'
import { DomainError, invalid } from '#shared/domain/domain-error.ts'
import type { Instance, InstanceLease } from '#shared/domain/instances/instance.ts'
import { findLeases, instancesOf } from '#shared/domain/instances/instance-store.ts'
import { requireOwnName } from '../../authorize.ts'
import { schemaProblem } from '../../check-input.ts'
import { idempotencyKey, ifMatch, iso, parseLabels, toETag } from '../../headers.ts'
import type { Context, Handler, Reply } from '../../operation.ts'

const toAgent = ({ agent, state, detail, instances }: DescribedAgent): AgentResponse => ({
  id: agent.id,
  name: agent.name,
  type: agent.type,
  description: agent.description,
  version: agent.version,
  ...(agent.resourceClass !== undefined && { resourceClass: agent.resourceClass }),
  state,
  detail,
  capabilities: agent.capabilities,
  ...(agent.messages !== undefined && { messages: agent.messages }),
  configuration: agent.configuration,
  labels: agent.labels,
  instances: { ...instances, ...(agent.wanted !== undefined && { wanted: agent.wanted }) },
  createdAt: iso(agent.createdAt),
  updatedAt: iso(agent.updatedAt),
})

export const replyAgent = (status: number, described: DescribedAgent): Reply => ({
  status,
  body: toAgent(described),
  headers: { etag: toETag(described.rev), ...(status === 201 && { location: `/api/v2/agents/${described.agent.id}` }) },
})

/** The agent of a path; a decommissioned one is only history. */
export const activeAgent = async ({ platform }: Context, tenant: string, idOrName: string) => {
  const found = await getAgent(platform, tenant, idOrName)
  if (found.value.decommissionedAt !== undefined)
    throw new DomainError('NOT_FOUND', `agent ${idOrName} is decommissioned`)
  return found
}

const checkSchemas = async (capabilities: Capability[]): Promise<void> => {
  for (const [at, one] of capabilities.entries())
    for (const field of ['inputSchema', 'outputSchema'] as const) {
      const problem = one[field] && (await schemaProblem(one[field]))
      if (problem)
        throw invalid(`#/capabilities/${at}/${field}`, 'SCHEMA', `not a usable JSON Schema 2020-12: ${problem}`)
    }
}

const register: Handler<OperationOf<'registerAgent'>> = async ({ platform }, { caller, body, headers }) => {
  requireOwnName(caller.principal, body.name)
  await checkSchemas(body.capabilities)
  const agent = await registerAgent(platform, caller, { ...body, idempotencyKey: idempotencyKey(headers) })
  return replyAgent(201, await describeAgent(platform, await getAgent(platform, caller.tenant, agent.id)))
}

const list: Handler<OperationOf<'listAgents'>> = async ({ platform }, { caller, query }) => {
  const { limit, cursor, label, ...rest } = query
  const page = await listAgents(platform, caller.tenant, {
    filter: { ...rest, labels: parseLabels(label) },
    limit,
    cursor,
  })
  return { status: 200, body: { items: page.items.map(toAgent), nextCursor: page.cursor ?? null } }
}

const get: Handler<OperationOf<'getAgent'>> = async (context, { caller, params }) =>
  replyAgent(200, await describeAgent(context.platform, await activeAgent(context, caller.tenant, params.agent ?? '')))

const patch: Handler<OperationOf<'patchAgent'>> = async (context, { caller, params, body, headers }) => {
  const { value } = await activeAgent(context, caller.tenant, params.agent ?? '')
  requireOwnName(caller.principal, value.name)
  await checkSchemas(body.capabilities ?? [])
  const saved = await patchAgent(context.platform, caller, value.id, { patch: body, ifMatch: ifMatch(headers) })
  return replyAgent(200, await describeAgent(context.platform, saved))
}

const remove: Handler<OperationOf<'deleteAgent'>> = async (context, { caller, params, headers }) => {
  const { value } = await activeAgent(context, caller.tenant, params.agent ?? '')
  await decommissionAgent(context.platform, caller, value.id, ifMatch(headers))
  return { status: 204 }
}

const toInstance = (instance: Instance, lease: InstanceLease | undefined): InstanceResponse => ({
  id: instance.id,
  agent: instance.agentName,
  version: instance.version,
  state: instance.state,
  detail: instance.detail,
  slots: instance.slots,
  running: lease?.running ?? 0,
  labels: instance.labels,
  joinedAt: iso(instance.joinedAt),
  history: instance.history.map((change) => ({ ...change, at: iso(change.at) })),
})

const instances: Handler<OperationOf<'listInstances'>> = async ({ platform }, { caller, params, query }) => {
  const { tenant } = caller
  const { value } = await getAgent(platform, tenant, params.agent ?? '')
  const page = await instancesOf(platform, { tenant, agent: value.id, ...query })
  const found = page.items.map((item) => item.value)
  const leases = await findLeases(
    platform,
    tenant,
    found.map(({ id }) => id),
  )
  const items = found.map((one, at) => toInstance(one, leases[at]))
  return { status: 200, body: { items, nextCursor: page.cursor ?? null } }
}

export const agentHandlers = {
  registerAgent: register,
  listAgents: list,
  getAgent: get,
  patchAgent: patch,
  deleteAgent: remove,
  listInstances: instances,
}
