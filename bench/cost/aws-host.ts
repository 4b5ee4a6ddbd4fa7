import { createApi } from '#functions/api/app.ts'
import { project, projectedTypes } from '#functions/stream/project.ts'
import type { Joined, LeaseAnswer } from '#shared/contracts/worker.ts'
import { createApiKey } from '#shared/domain/access/api-key.ts'
import { laneQueues } from '#shared/domain/dispatch/lanes.ts'
import { createAwsPlatform } from '#shared/platform/aws/create-aws-platform.ts'
import type { EventBus, Platform, Workflows } from '#shared/platform/platform.ts'
import { startAwsServers } from '#test/support/aws-servers.ts'
import { createMeter, type Metered } from './meter.ts'

export type AwsHost = Awaited<ReturnType<typeof startAwsHost>>

const settledMs = 1500
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * The AWS host over servers of this machine that speak DynamoDB and SQS and tell the capacity that each call takes, with
 * every call counted. State machines are interpreted by the embedded host, whose transitions are those of Step Functions.
 */
export const startAwsHost = async (workflows: Workflows) => {
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
  const platform: Platform = { ...aws, bus, workflows }
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

  return {
    platform,
    meter,
    call,
    /** Until nothing has been projected for a while. */
    async settle() {
      for (let before = -1; before !== projected; await pause(settledMs)) before = projected
    },
    async stop() {
      await feed.stop()
      await servers.stop()
    },
  }
}

/** An agent on Fargate: receives by itself, claims what came, deletes each message at its task's end. */
export const startWorker = async ({ call, platform }: AwsHost, atOnce: number) => {
  const agent = await call<{ id: string; version: string }>('register', '/agents', {
    name: 'bench',
    capabilities: [{ name: 'bench' }],
  })
  const joined = await call<Joined>('join', '/instances', { agent: 'bench', slots: atOnce })
  const lanes = laneQueues('default', { agent: agent.id, version: agent.version }).map(({ queue }) => queue)
  /** Does what there is. Answers how many tasks that were. */
  return async (): Promise<number> => {
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
}
