import { agentPageSchema, agentSchema, listAgentsQuery, patchAgentSchema, registerAgentSchema } from '../agents.ts'
import { pageSchema } from '../common.ts'
import { instanceSchema, listInstancesQuery } from '../worker.ts'
import { admins, enrolling, type Operation, people } from './operation.ts'

export const agentOperations = {
  registerAgent: {
    method: 'POST',
    path: '/agents',
    tag: 'Agents',
    summary: 'Register an agent',
    audience: enrolling,
    headers: ['Idempotency-Key'],
    body: registerAgentSchema,
    answers: { 201: { description: 'The agent.', schema: agentSchema } },
    refusals: ['NAME_TAKEN', 'IDEMPOTENCY_CONFLICT'],
  },
  listAgents: {
    method: 'GET',
    path: '/agents',
    tag: 'Agents',
    summary: 'Discover agents',
    audience: people,
    query: listAgentsQuery,
    answers: { 200: { description: 'A page of agents, newest first.', schema: agentPageSchema } },
  },
  getAgent: {
    method: 'GET',
    path: '/agents/{agent}',
    tag: 'Agents',
    summary: 'Get an agent by id or name',
    audience: people,
    answers: { 200: { description: 'The agent.', schema: agentSchema } },
  },
  patchAgent: {
    method: 'PATCH',
    path: '/agents/{agent}',
    tag: 'Agents',
    summary: 'Change fields of an agent',
    audience: enrolling,
    headers: ['If-Match'],
    body: patchAgentSchema,
    answers: { 200: { description: 'The changed agent.', schema: agentSchema } },
    refusals: ['CONFLICT'],
  },
  deleteAgent: {
    method: 'DELETE',
    path: '/agents/{agent}',
    tag: 'Agents',
    summary: 'Decommission an agent',
    description: 'Takes no new tasks, drains its instances, frees its name and keeps the history of its tasks.',
    audience: admins,
    headers: ['If-Match'],
    answers: { 204: { description: 'Decommissioned.' } },
  },
  listInstances: {
    method: 'GET',
    path: '/agents/{agent}/instances',
    tag: 'Instances',
    summary: 'List the instances of an agent',
    audience: people,
    query: listInstancesQuery,
    answers: { 200: { description: 'Instances, newest first.', schema: pageSchema(instanceSchema) } },
  },
} as const satisfies Record<string, Operation>
