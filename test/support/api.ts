import { startLoops } from '#cli/server/loops.ts'
import { createApi } from '#functions/api/app.ts'
import { workflowConsumer } from '#functions/workflow-steps/workflow-consumer.ts'
import { createApiKey } from '#shared/domain/access/api-key.ts'
import { createProcessBus } from '#shared/platform/embedded/process-bus.ts'
import type { Clock, Platform, Realtime } from '#shared/platform/platform.ts'
import { startAwsServers } from './aws-servers.ts'
import { requireDocumented } from './documented.ts'
import { aPlatform } from './embedded.ts'
import { anImpatientClock } from './impatient-clock.ts'

/** Parsed JSON, of whatever shape the test expects. */
type Json = ReturnType<typeof JSON.parse>
export type Answer = { status: number; headers: Headers; body: Json }
type RequestOptions = { body?: unknown; key?: string | null; headers?: Record<string, string> }

/** The API over a platform with the loops running, called without a socket. */
const overPlatform = async (platform: Platform, closePlatform: () => Promise<void>) => {
  const app = createApi({ platform, settings: { version: '0.0.0', streamSeconds: 5, holdSeconds: 25 } })
  const loops = startLoops(platform)
  const keyOf = async (tenant: string, role: 'admin' | 'agent' = 'admin') =>
    (await createApiKey(platform, { tenant, role, name: 'test' })).apiKey
  const apiKey = await keyOf('default')

  const request = async (
    method: string,
    path: string,
    { body, key = apiKey, headers = {} }: RequestOptions = {},
  ): Promise<Answer> => {
    const response = await app.request(`/api/v2${path}`, {
      method,
      headers: {
        ...(key !== null && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    })
    const text = await response.text()
    const json = (response.headers.get('content-type') ?? '').includes('json') && text !== ''
    const parsed = json ? JSON.parse(text) : text
    requireDocumented(method, path, response.status, parsed)
    return { status: response.status, headers: response.headers, body: parsed }
  }
  return {
    platform,
    app,
    apiKey,
    keyOf,
    request,
    get: (path: string, options: RequestOptions = {}) => request('GET', path, options),
    post: (path: string, body?: unknown, options: RequestOptions = {}) => request('POST', path, { body, ...options }),
    async close() {
      await loops.stop()
      await closePlatform()
    },
  }
}
export type TestApi = Awaited<ReturnType<typeof overPlatform>>

/** On the embedded host. */
export const anApi = async ({
  clock,
  egressAllow,
  realtime,
}: {
  clock?: Clock
  egressAllow?: string[]
  realtime?: Realtime
} = {}): Promise<TestApi> => {
  const { platform, close } = await aPlatform(undefined, clock, egressAllow)
  const serving = platform.workflows.serve(workflowConsumer(platform))
  return overPlatform({ ...platform, ...(realtime && { realtime }) }, async () => {
    await serving.stop()
    await close()
  })
}

/** On the AWS host, over servers that speak DynamoDB, SQS and S3; none here speaks EventBridge, so the bus is the process's. */
export const anAwsApi = async ({
  egressAllow = [],
  realtime,
}: {
  egressAllow?: string[]
  realtime?: Realtime
} = {}): Promise<TestApi> => {
  const servers = await startAwsServers()
  Object.assign(process.env, servers.environment)
  const environment = { ...servers.environment, EGRESS_ALLOW: egressAllow.join(',') }
  // Loaded under that environment, and by whoever asks for this host alone: its tracer looks there whether it is wanted.
  const { createAwsPlatform } = await import('#shared/platform/aws/create-aws-platform.ts')
  const aws = createAwsPlatform(environment, { clock: anImpatientClock() })
  const platform = { ...aws, bus: createProcessBus(), ...(realtime && { realtime }) }
  return overPlatform(platform, () => servers.stop())
}
