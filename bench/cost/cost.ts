/**
 * `npm run bench:cost`: what a million tasks cost on AWS, from calls that are counted: the AWS host over servers of this
 * machine that speak DynamoDB and SQS and tell the capacity that each call takes. Agents and API Gateway are not in it.
 * `--limit N`: of a tenant with a limit of N at once.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createApi } from '#functions/api/app.ts'
import { project, projectedTypes } from '#functions/stream/project.ts'
import type { Joined, LeaseAnswer } from '#shared/contracts/worker.ts'
import { createApiKey } from '#shared/domain/access/api-key.ts'
import { laneQueues } from '#shared/domain/dispatch/lanes.ts'
import { createAwsPlatform } from '#shared/platform/aws/create-aws-platform.ts'
import type { EventBus, Platform } from '#shared/platform/platform.ts'
import { startAwsServers } from '#test/support/aws-servers.ts'
import { createMeter, type Line, type Metered } from './meter.ts'

type Prices = {
  perMillion: Record<Line, number>
  lambda: { perGbSecond: number; memoryGb: number; secondsPerCall: number }
}
const prices = JSON.parse(readFileSync(new URL('./prices.json', import.meta.url), 'utf8')) as Prices

const { values: options } = parseArgs({
  options: {
    tasks: { type: 'string', default: '200' },
    detail: { type: 'boolean', default: false },
    limit: { type: 'string' },
  },
})
const tasks = Number(options.tasks)
const atOnce = 10
const budget = 15

const servers = await startAwsServers()
Object.assign(process.env, servers.environment)
const meter = createMeter()
const aws = createAwsPlatform(servers.environment, {
  observe: (client) => {
    meter.observe(client as unknown as Metered)
    return client
  },
})
const bus: EventBus = {
  async publish(events) {
    meter.count('eventbridge.event', 'PutEvents', events.length)
    return []
  },
}
const platform: Platform = { ...aws, bus }
const app = createApi({ platform, settings: { version: 'bench', streamSeconds: 5, holdSeconds: 0 } })
const { apiKey } = await createApiKey(platform, { tenant: 'default', role: 'admin', name: 'bench' })

/** One request to a function. */
const call = async <T>(what: string, path: string, body: unknown, key = apiKey, method = 'POST'): Promise<T> => {
  meter.count('lambda.request', what, 1)
  const response = await app.request(`/api/v2${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${what}: ${response.status} ${await response.text()}`)
  return (await response.json()) as T
}

const agent = await call<{ id: string; version: string }>('register', '/agents', {
  name: 'bench',
  capabilities: [{ name: 'bench' }],
})
const joined = await call<Joined>('join', '/instances', { agent: 'bench', slots: atOnce })
const lanes = laneQueues('default', { agent: agent.id, version: agent.version }).map(({ queue }) => queue)

if (options.limit !== undefined)
  await call('limit', '/limits', { tenant: { concurrency: Number(options.limit) } }, apiKey, 'PATCH')

let projected = 0
const feed = platform.feed.consume(
  'bench',
  async (changes) => {
    meter.count('lambda.request', 'stream', 1)
    projected += changes.length
    return project(platform, changes)
  },
  { types: projectedTypes },
)

/** As an agent on Fargate does it: receives by itself, claims what came, deletes each message at its task's end. */
const work = async (): Promise<number> => {
  const received = await platform.queues.receive({ queues: lanes, max: atOnce, waitSeconds: 1 })
  if (received.length === 0) return 0
  const taskIds = received.map(({ body }) => body)
  const answer = await call<LeaseAnswer>('lease', `/instances/${joined.instanceId}/lease`, { taskIds }, joined.token)
  await Promise.all(
    answer.tasks.map(async ({ taskId, fence }) => {
      await call('complete', `/tasks/${taskId}/complete`, { fence, result: { ok: true } }, joined.token)
      await platform.queues.delete(received.filter(({ body }) => body === taskId))
    }),
  )
  return answer.tasks.length
}

const submitSome = (count: number): Promise<unknown> =>
  Promise.all(
    Array.from({ length: count }, (_, n) => call('submit', '/tasks', { capability: 'bench', input: { number: n } })),
  )

meter.start()
for (let done = 0, submitted = 0; done < tasks; ) {
  const room = Math.min(atOnce, tasks - submitted)
  if (room > 0) await submitSome(room)
  submitted += room
  for (let left = room; left > 0; ) left -= await work()
  done += room
}
for (let before = -1; before !== projected; await new Promise((resolve) => setTimeout(resolve, 1500)))
  before = projected
meter.stop()
await feed.stop()
await servers.stop()

const perTask = new Map<Line, number>()
for (const [key, { units }] of meter.counts()) {
  const line = key.split(' ')[0] as Line
  perTask.set(line, (perTask.get(line) ?? 0) + units / tasks)
}
if (options.detail)
  for (const [key, { calls, units }] of [...meter.counts()].sort(([a], [b]) => (a < b ? -1 : 1)))
    console.log(
      `${(units / tasks).toFixed(2).padStart(7)} units ${(calls / tasks).toFixed(2).padStart(6)} calls  ${key}`,
    )

const { perGbSecond, memoryGb, secondsPerCall } = prices.lambda
const lambdaCalls = perTask.get('lambda.request') ?? 0
const rows = [
  ...[...perTask].map(([line, units]) => ({ line, units, dollars: units * prices.perMillion[line] })),
  {
    line: `lambda.time (${secondsPerCall * 1000} ms at ${memoryGb * 1024} MB each)`,
    units: lambdaCalls,
    dollars: lambdaCalls * secondsPerCall * memoryGb * perGbSecond * 1e6,
  },
]
const total = rows.reduce((sum, { dollars }) => sum + dollars, 0)
console.log('| line item | a task | $ a million tasks |\n|---|---|---|')
for (const { line, units, dollars } of rows) console.log(`| ${line} | ${units.toFixed(2)} | ${dollars.toFixed(2)} |`)
console.log(`| together | | ${total.toFixed(2)} (wanted ≤ ${budget}) |`)
process.exit(total <= budget ? 0 : 1)
