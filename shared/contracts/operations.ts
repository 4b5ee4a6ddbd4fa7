import type * as z from 'zod'
import { agentPageSchema, agentSchema, listAgentsQuery, patchAgentSchema, registerAgentSchema } from './agents.ts'
import { pageSchema } from './common.ts'
import { createObjectSchema, objectSchema } from './objects.ts'
import {
  attemptListSchema,
  listTasksQuery,
  submitTaskSchema,
  taskEventPageSchema,
  taskEventsQuery,
  taskPageSchema,
  taskSchema,
} from './tasks.ts'
import {
  completeSchema,
  failAnswerSchema,
  failSchema,
  heartbeatAnswerSchema,
  heartbeatSchema,
  instanceSchema,
  joinedSchema,
  joinSchema,
  leaseAnswerSchema,
  leaseQuery,
  leaseSchema,
  listInstancesQuery,
  progressSchema,
} from './worker.ts'

/** Who may call: `admin` and `agent` are roles of keys, `host` a hosted agent, `instance` a running copy. */
export type Audience = 'admin' | 'agent' | 'host' | 'instance'

export type Operation = {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Below `/api/v2`; `{x}` is a parameter. */
  path: string
  tag: 'Agents' | 'Instances' | 'Tasks' | 'Worker protocol' | 'Objects'
  summary: string
  description?: string
  audience: readonly Audience[]
  query?: z.ZodObject
  body?: z.ZodType
  /** A body may be left out altogether. */
  bodyOptional?: true
  /** Request headers that matter besides the usual ones. */
  headers?: readonly ('Idempotency-Key' | 'If-Match' | 'Prefer' | 'Last-Event-ID' | 'traceparent')[]
  answers: Record<number, { description: string; schema?: z.ZodType; also?: 'text/event-stream' | 'any' }>
  /** Refusals besides 400, 401, 403, 404, 413, 422 and 429. */
  refusals?: readonly (409 | 412)[]
}

const people = ['admin', 'agent', 'instance', 'host'] as const
const admins = ['admin'] as const
const enrolling = ['admin', 'agent', 'host'] as const
const workers = ['admin', 'instance'] as const

/** Everything under `/api/v2`: the router, the OpenAPI document and the handlers' types come from these rows. */
export const operations = {
  registerAgent: {
    method: 'POST',
    path: '/agents',
    tag: 'Agents',
    summary: 'Register an agent',
    audience: enrolling,
    headers: ['Idempotency-Key'],
    body: registerAgentSchema,
    answers: { 201: { description: 'The agent.', schema: agentSchema } },
    refusals: [409],
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
    refusals: [409, 412],
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
    refusals: [412],
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
  submitTask: {
    method: 'POST',
    path: '/tasks',
    tag: 'Tasks',
    summary: 'Submit a task',
    description: 'By `capability` or to an `agent`. `Prefer: wait=N` answers 200 when the task ends within N seconds.',
    audience: admins,
    headers: ['Idempotency-Key', 'Prefer', 'traceparent'],
    body: submitTaskSchema,
    answers: {
      200: { description: 'The task has ended.', schema: taskSchema },
      202: { description: 'Accepted: it is durable and will run.', schema: taskSchema },
    },
    refusals: [409],
  },
  listTasks: {
    method: 'GET',
    path: '/tasks',
    tag: 'Tasks',
    summary: 'List tasks',
    audience: admins,
    query: listTasksQuery,
    answers: { 200: { description: 'A page of tasks, newest first.', schema: taskPageSchema } },
  },
  getTask: {
    method: 'GET',
    path: '/tasks/{task}',
    tag: 'Tasks',
    summary: 'Get a task',
    audience: workers,
    answers: { 200: { description: 'The task.', schema: taskSchema } },
  },
  getTaskResult: {
    method: 'GET',
    path: '/tasks/{task}/result',
    tag: 'Tasks',
    summary: 'Get the result as the agent gave it',
    audience: admins,
    answers: { 200: { description: 'The result itself, any JSON.', also: 'any' } },
    refusals: [409],
  },
  listAttempts: {
    method: 'GET',
    path: '/tasks/{task}/attempts',
    tag: 'Tasks',
    summary: 'List the attempts of a task',
    audience: admins,
    answers: { 200: { description: 'Attempts, first one first.', schema: attemptListSchema } },
  },
  listTaskEvents: {
    method: 'GET',
    path: '/tasks/{task}/events',
    tag: 'Tasks',
    summary: 'Follow the events of a task',
    description: 'Server-sent events with `Accept: text/event-stream` (resume with `Last-Event-ID`), else a page.',
    audience: admins,
    headers: ['Last-Event-ID'],
    query: taskEventsQuery,
    answers: { 200: { description: 'Events, ascending.', schema: taskEventPageSchema, also: 'text/event-stream' } },
  },
  cancelTask: {
    method: 'POST',
    path: '/tasks/{task}/cancel',
    tag: 'Tasks',
    summary: 'Cancel a task',
    audience: admins,
    answers: { 200: { description: 'The cancelled task.', schema: taskSchema } },
    refusals: [409],
  },
  joinInstance: {
    method: 'POST',
    path: '/instances',
    tag: 'Worker protocol',
    summary: 'Join as an instance of an agent',
    audience: enrolling,
    headers: ['Idempotency-Key'],
    body: joinSchema,
    answers: { 201: { description: 'The instance and its token.', schema: joinedSchema } },
    refusals: [409],
  },
  heartbeat: {
    method: 'POST',
    path: '/instances/{instance}/heartbeat',
    tag: 'Worker protocol',
    summary: 'Keep the leases of an instance',
    audience: workers,
    body: heartbeatSchema,
    bodyOptional: true,
    answers: { 200: { description: 'What is kept, lost, cancelled.', schema: heartbeatAnswerSchema } },
  },
  leaseTasks: {
    method: 'POST',
    path: '/instances/{instance}/lease',
    tag: 'Worker protocol',
    summary: 'Lease tasks',
    audience: workers,
    query: leaseQuery,
    body: leaseSchema,
    answers: { 200: { description: 'Leased tasks; empty at the end of `wait`.', schema: leaseAnswerSchema } },
    refusals: [409],
  },
  leaveInstance: {
    method: 'DELETE',
    path: '/instances/{instance}',
    tag: 'Worker protocol',
    summary: 'Leave: gives all leases back',
    audience: workers,
    answers: { 204: { description: 'Left.' } },
  },
  reportProgress: {
    method: 'POST',
    path: '/tasks/{task}/progress',
    tag: 'Worker protocol',
    summary: 'Report progress, output, logs, a checkpoint',
    audience: workers,
    body: progressSchema,
    answers: { 202: { description: 'Recorded.' } },
    refusals: [409],
  },
  completeTask: {
    method: 'POST',
    path: '/tasks/{task}/complete',
    tag: 'Worker protocol',
    summary: 'Complete a task',
    audience: workers,
    body: completeSchema,
    answers: { 200: { description: 'The task; the same again when repeated.', schema: taskSchema } },
    refusals: [409],
  },
  failTask: {
    method: 'POST',
    path: '/tasks/{task}/fail',
    tag: 'Worker protocol',
    summary: 'Fail an attempt',
    audience: workers,
    body: failSchema,
    answers: { 200: { description: 'Whether there is another attempt.', schema: failAnswerSchema } },
    refusals: [409],
  },
  createObject: {
    method: 'POST',
    path: '/objects',
    tag: 'Objects',
    summary: 'Create an object to upload',
    audience: people,
    headers: ['Idempotency-Key'],
    body: createObjectSchema,
    bodyOptional: true,
    answers: { 201: { description: 'The object and where to send its bytes.', schema: objectSchema } },
    refusals: [409],
  },
  getObject: {
    method: 'GET',
    path: '/objects/{object}',
    tag: 'Objects',
    summary: 'Get an object and where to fetch its bytes',
    audience: people,
    answers: { 200: { description: 'The object.', schema: objectSchema } },
  },
} as const satisfies Record<string, Operation>

export type OperationId = keyof typeof operations
export type OperationOf<Id extends OperationId> = (typeof operations)[Id]
