import {
  extendZodWithOpenApi,
  OpenAPIRegistry,
  OpenApiGeneratorV31,
  type RouteConfig,
} from '@asteasolutions/zod-to-openapi'
import * as z from 'zod'
import { problemSchema } from './common.ts'
import { type Example, exampleParams, examples } from './examples/examples.ts'
import { type Operation, type OperationId, operations } from './operations.ts'
import { type RefusalCode, refusalStatus, refusalsOf } from './refusals.ts'

extendZodWithOpenApi(z)

const refusals: Record<number, string> = {
  400: 'The body is not JSON.',
  401: 'No key, or one that is unknown or over.',
  403: 'The caller may not do this.',
  404: 'There is no such thing for this caller.',
  409: 'It conflicts with the state of things.',
  412: '`If-Match` names another state than the current one.',
  413: 'The body is too large.',
  415: 'The body is not application/json.',
  422: 'A field is wrong; `errors` names each by a pointer.',
  429: 'Too many requests; see `Retry-After`.',
  500: 'A fault of the server; its log has it under the `requestId`.',
  503: 'Not now; the same request may go through after `Retry-After`.',
}

/** A refusal with each `code` that it can have. */
const problem = (status: number, codes: RefusalCode[]) => ({
  description: `${refusals[status]} \`code\`: ${codes.map((code) => `\`${code}\``).join(', ')}.`,
  content: { 'application/problem+json': { schema: problemSchema } },
})

const toProblems = (operation: Operation): [number, ReturnType<typeof problem>][] =>
  [...Map.groupBy(refusalsOf(operation), (code) => refusalStatus[code])].map(([status, codes]) => [
    status,
    problem(status, codes),
  ])

/** An example as the document takes it: tools would follow a `$ref` in one, so such a one stands in the description. */
const shown = (example: unknown) =>
  JSON.stringify(example)?.includes('"$ref"')
    ? { text: `\n\n\`\`\`json\n${JSON.stringify(example, null, 2)}\n\`\`\``, as: {} }
    : { text: '', as: { example } }

type Answer = Operation['answers'][number]

const toContent = ({ schema, also }: Answer, { answer }: Example) => ({
  ...(schema && { 'application/json': { schema, ...shown(answer).as } }),
  ...(also === 'text/event-stream' && { 'text/event-stream': { schema: z.string() } }),
  ...(also === 'any' && { 'application/json': { schema: z.unknown(), ...shown(answer).as } }),
})

const toResponses = (operation: Operation, example: Example): RouteConfig['responses'] =>
  Object.fromEntries([
    ...Object.entries(operation.answers).map(([status, answer]) => {
      const content = toContent(answer, example)
      const description = answer.description + (answer.schema ? shown(example.answer).text : '')
      return [status, { description, ...(Object.keys(content).length > 0 && { content }) }]
    }),
    ...toProblems(operation),
  ])

const headerDescriptions: Record<string, string> = {
  'Idempotency-Key': 'The same key and body answer the same thing again; another body under it is a conflict.',
  'If-Match': 'The `ETag` that was read, or several: the change happens only to such a state. A weak one never fits.',
  Prefer: '`wait=N`: hold the answer up to N seconds (at most 25) for the end of the task.',
  'Last-Event-ID': 'Resume after this event.',
  traceparent: 'W3C trace context, carried through to the agent.',
}

const toRoute = (id: OperationId, operation: Operation): RouteConfig => {
  const example: Example = examples[id]
  const names = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
  const params = z.object(
    Object.fromEntries(names.map((name) => [name, z.string().meta({ example: exampleParams[name] })])),
  )
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
    security: operation.audience.includes('anyone') ? [] : [{ bearer: [] }],
    request: {
      ...(names.length > 0 && { params }),
      ...(operation.query && { query: operation.query as unknown as z.ZodObject }),
      ...(headers.length > 0 && { headers: z.object(Object.fromEntries(headers)) }),
      ...(operation.body && {
        body: {
          required: !operation.bodyOptional,
          ...(shown(example.body).text && { description: shown(example.body).text.trim() }),
          content: {
            'application/json': { schema: operation.body, ...shown(example.body).as },
          },
        },
      }),
    },
    responses: toResponses(operation, example),
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
  Realtime: 'Sockets that tell what changed.',
  Workflows: 'What agents do together: definitions and their versions.',
  Runs: 'Workflows under way, and what became of them.',
  Limits: 'How much may run and start, and what was used.',
  Messages: 'Facts for whoever subscribed, work for one of several.',
  Topics: 'Who gets which messages: subscriptions with event patterns, what they matched, replays.',
  Queues: 'Each message goes to one of those who receive, until it is acknowledged.',
  Hooks: 'Webhooks of other systems, which become messages on topics.',
}

/** The OpenAPI 3.1 document of everything under `/api/v2`. */
export const openApiDocument = (version: string) => {
  const registry = new OpenAPIRegistry()
  registry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key, or the token that an instance was given when it joined.',
  })
  for (const [id, operation] of Object.entries(operations)) registry.registerPath(toRoute(id as OperationId, operation))
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
