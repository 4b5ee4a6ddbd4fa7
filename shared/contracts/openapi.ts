import {
  extendZodWithOpenApi,
  OpenAPIRegistry,
  OpenApiGeneratorV31,
  type RouteConfig,
} from '@asteasolutions/zod-to-openapi'
import * as z from 'zod'
import { problemSchema } from './common.ts'
import { type Operation, operations } from './operations.ts'

extendZodWithOpenApi(z)

const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: problemSchema } },
})

const refusals: Record<number, string> = {
  400: 'The body is not JSON.',
  401: 'No key, or one that is unknown or over.',
  403: 'The caller may not do this.',
  404: 'There is no such thing for this caller.',
  409: 'It conflicts with the state of things; `code` tells how.',
  412: '`If-Match` names another state than the current one.',
  413: 'The body is too large.',
  415: 'The body is not application/json.',
  422: 'A field is wrong; `errors` names each by a pointer.',
  429: 'Too many requests; see `Retry-After`.',
}

const refusalsOf = (operation: Operation): number[] => [
  401,
  403,
  ...(operation.path.includes('{') ? [404] : []),
  ...(operation.body ? [400, 413, 415, 422] : operation.query ? [422] : []),
  ...(operation.refusals ?? []),
  429,
]

type Answer = Operation['answers'][number]

const toContent = ({ schema, also }: Answer) => ({
  ...(schema && { 'application/json': { schema } }),
  ...(also === 'text/event-stream' && { 'text/event-stream': { schema: z.string() } }),
  ...(also === 'any' && { 'application/json': { schema: z.unknown() } }),
})

const toResponses = (operation: Operation): RouteConfig['responses'] =>
  Object.fromEntries([
    ...Object.entries(operation.answers).map(([status, answer]) => {
      const content = toContent(answer)
      return [status, { description: answer.description, ...(Object.keys(content).length > 0 && { content }) }]
    }),
    ...refusalsOf(operation).map((status) => [status, problem(refusals[status] ?? '')]),
  ])

const headerDescriptions: Record<string, string> = {
  'Idempotency-Key': 'The same key and body answer the same thing again; another body under it is a conflict.',
  'If-Match': 'The `ETag` that was read: the change happens only to that state.',
  Prefer: '`wait=N`: hold the answer up to N seconds (at most 25) for the end of the task.',
  'Last-Event-ID': 'Resume after this event.',
  traceparent: 'W3C trace context, carried through to the agent.',
}

const toRoute = (id: string, operation: Operation): RouteConfig => {
  const names = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
  const params = z.object(Object.fromEntries(names.map((name) => [name, z.string()])))
  const headers = (operation.headers ?? []).map((name) => [
    name,
    z.string().optional().meta({ description: headerDescriptions[name] }),
  ])
  return {
    method: operation.method.toLowerCase() as RouteConfig['method'],
    path: `/api/v2${operation.path}`,
    operationId: id,
    tags: [operation.tag],
    summary: operation.summary,
    description: operation.description ?? `${operation.summary}.`,
    security: [{ bearer: [] }],
    request: {
      ...(names.length > 0 && { params }),
      ...(operation.query && { query: operation.query as unknown as z.ZodObject }),
      ...(headers.length > 0 && { headers: z.object(Object.fromEntries(headers)) }),
      ...(operation.body && {
        body: { required: !operation.bodyOptional, content: { 'application/json': { schema: operation.body } } },
      }),
    },
    responses: toResponses(operation),
  }
}

const tags: Record<Operation['tag'], string> = {
  Agents: 'Named kinds of workers: registration and discovery.',
  Instances: 'Running copies of agents.',
  Tasks: 'Work for agents: submit, follow, get results.',
  'Worker protocol': 'What a program in any language speaks to become an instance of an agent.',
  Objects: 'Payloads up to 5 GiB, by reference.',
  Batches: 'Many tasks from one object of JSON lines.',
  Approvals: 'What waits for a person, and their decisions.',
  Schedules: 'Tasks by cron, rate, or at a time.',
  Webhooks: 'Outgoing, signed by Standard Webhooks.',
  Limits: 'How much may run and start, and what was used.',
}

/** The OpenAPI 3.1 document of everything under `/api/v2`. */
export const openApiDocument = (version: string) => {
  const registry = new OpenAPIRegistry()
  registry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key, or the token that an instance was given when it joined.',
  })
  for (const [id, operation] of Object.entries(operations)) registry.registerPath(toRoute(id, operation))
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'DevCycle',
      version,
      description: 'Runs AI agents for the software development life cycle. Errors are RFC 9457 problem details.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      contact: { name: 'DevCycle' },
    },
    servers: [{ url: 'http://127.0.0.1:8787', description: 'The embedded server' }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
  })
}
