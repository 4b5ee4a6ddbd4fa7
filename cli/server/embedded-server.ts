import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Writable } from 'node:stream'
import { getRequestListener, RequestError } from '@hono/node-server'
import { Hono } from 'hono'
import { createApi } from '#functions/api/app.ts'
import { toProblem } from '#functions/api/errors.ts'
import type { ApiEnv } from '#functions/api/operation.ts'
import { workflowConsumer } from '#functions/workflow-steps/workflow-consumer.ts'
import { createApiKey, findApiKey } from '#shared/domain/access/api-key.ts'
import { rebuildQueues, renewAfterOutage } from '#shared/domain/dispatch/rebuild-queues.ts'
import { expireInstance } from '#shared/domain/instances/end-instance.ts'
import { findInstance } from '#shared/domain/instances/instance-store.ts'
import { forgetConnections } from '#shared/domain/realtime/connection-store.ts'
import { noteColdStart } from '#shared/domain/why/cold-start.ts'
import { createEmbeddedAgentHosts } from '#shared/platform/embedded/agent-hosts.ts'
import { createEmbeddedPlatform, type EmbeddedPlatform } from '#shared/platform/embedded/create-embedded-platform.ts'
import { ulid } from '#shared/platform/ulid.ts'
import { readCredentials, removeServerFile, writeCredentials, writeServerFile } from './data-folder.ts'
import { observe } from './faults/observe.ts'
import type { FaultPlan } from './faults/plan.ts'
import { createHeldRequests, type HeldRequests } from './held-requests.ts'
import { hostCheck } from './host-check.ts'
import { type AgentKeeper, createAgentKeeper } from './keep-agents.ts'
import { startLoops } from './loops.ts'
import { mountEmbedded } from './mount-embedded.ts'
import { keepShippedWorkflows } from './shipped-workflows.ts'
import { isSocketRequest, openSockets } from './sockets.ts'
import { refuseUnreadable, unreadable } from './unreadable-request.ts'

export type ServerOptions = {
  dataDir: string
  host: string
  /** 0: any free one. */
  port: number
  /** Agent folders to supervise. */
  agents: string[]
  version: string
  /** Targets of webhooks that may be called although they are not public. @default none */
  egressAllow?: string[]
  /** What goes wrong on purpose. @default nothing */
  faultPlan?: FaultPlan
  /** Where every operation is written down. @default nowhere */
  history?: string
  /** An agent folder that cannot be started, and why. */
  onFailedAgent?: (folder: string, reason: string) => void
}

export type EmbeddedServer = {
  url: string
  apiKey: string
  platform: EmbeddedPlatform
  /** Drains agents, finishes what is under way, and closes everything. */
  close(): Promise<void>
}

const tenant = 'default'
/** The key that supervised agents enrol and join with; made anew at each start. */
const agentKeyId = 'key_00000000000000000000AGENTS'
const streamSeconds = 24 * 3600
const drainSeconds = 10

/** What has to be closed, the last first; also when the start stops halfway. */
type Closing = (() => unknown)[]

/** Brings the whole product up in this process; resolves when it is ready for requests. */
export const startServer = async (options: ServerOptions): Promise<EmbeddedServer> => {
  const closing: Closing = []
  const close = async (): Promise<void> => {
    for (const closeOne of closing.splice(0).reverse()) await closeOne()
  }
  try {
    return { ...(await open(options, closing)), close }
  } catch (error) {
    await close()
    throw error
  }
}

const open = async (options: ServerOptions, closing: Closing): Promise<Omit<EmbeddedServer, 'close'>> => {
  const { dataDir, version } = options
  const state = { url: '', agentKey: '' }
  const { platform, keeper } = await openPlatform(options, state)
  closing.push(platform.close)
  const [apiKey, agentKey] = await Promise.all([adminKey(platform, dataDir), agentsKey(platform)])
  await Promise.all([rebuildQueues(platform), renewAfterOutage(platform, tenant), forgetConnections(platform, tenant)])
  state.agentKey = agentKey
  const server = createServer({
    requestTimeout: 300_000,
    keepAliveTimeout: 65_000,
    requireHostHeader: false, // Node's own refusal has no body
    shouldUpgradeCallback: isSocketRequest,
  })
  const requestId = () => ulid(platform.clock.now(), platform.random.bytes)
  server.on('clientError', (error, socket) => refuseUnreadable(error, socket, requestId()))
  state.url = await listen(server, options)
  const observation = observe(platform, options)
  closing.push(observation.close)
  const loops = startLoops(observation.platform)
  const serving = platform.workflows.serve(workflowConsumer(observation.platform))
  const held = createHeldRequests()
  const letGo = (): void => {
    held.letGo()
    platform.endWaits()
  }
  const sockets = openSockets(server, observation.platform, options.host)
  closing.push(
    loops.stop,
    serving.stop,
    () => stopListening(server, letGo),
    sockets.close,
    platform.closeHosts,
    keeper.stop,
  )
  const serve = observation.around(serveOn(createApp(observation.platform, options), held))
  const errorHandler = (error: unknown): Response =>
    toProblem(error instanceof RequestError ? unreadable(error.message) : error, requestId()).response
  server.on('request', getRequestListener(serve, { overrideGlobalObjects: false, errorHandler }))
  await startAgents(platform, options)
  await keepShippedWorkflows(platform, tenant)
  writeServerFile(dataDir, { url: state.url, pid: process.pid, version })
  closing.push(() => removeServerFile(dataDir))
  return { url: state.url, apiKey, platform }
}

const openPlatform = async (
  { dataDir, egressAllow, onFailedAgent }: ServerOptions,
  state: { url: string; agentKey: string },
): Promise<{ platform: EmbeddedPlatform; keeper: AgentKeeper }> => {
  const context: { platform?: EmbeddedPlatform; keeper?: AgentKeeper } = {}
  const platform = await createEmbeddedPlatform({
    dataDir,
    egressAllow,
    baseUrl: () => state.url,
    hosts: ({ clock, telemetry }) =>
      createEmbeddedAgentHosts({
        clock,
        telemetry,
        serverUrl: () => state.url,
        apiKey: () => state.agentKey,
        drainSeconds,
        onJoined: (agent, instance) => context.keeper?.joined(agent, instance),
        onExit(instance, { restarts, agent }) {
          giveUp(context.platform, instance, restarts)
          if (!restarts) context.keeper?.left(agent)
        },
        onFailedStart: ({ source }, reason) => onFailedAgent?.(source, reason),
      }),
  })
  const keeper = createAgentKeeper(platform)
  Object.assign(context, { platform, keeper })
  return { platform, keeper }
}

/** The process of an instance has ended: what it held runs elsewhere at once, or on the one that is started instead. */
const giveUp = (platform: EmbeddedPlatform | undefined, instance: string, restarts: boolean): void => {
  if (platform === undefined) return
  Promise.all([
    expireInstance(platform, tenant, instance, 'its process ended'),
    restarts ? noteRestart(platform, instance) : undefined,
  ]).catch((error: unknown) =>
    platform.telemetry.log('error', 'an ended instance could not be given up; its lease will run out', {
      instance,
      error: String(error),
    }),
  )
}

const noteRestart = async (platform: EmbeddedPlatform, instance: string): Promise<void> => {
  const ended = await findInstance(platform, tenant, instance)
  if (ended) await noteColdStart(platform, tenant, { agentName: ended.value.agentName, count: 1 })
}

const adminKey = async (platform: EmbeddedPlatform, dataDir: string): Promise<string> => {
  const known = readCredentials(dataDir)
  if (known && (await findApiKey(platform, known.apiKey))) return known.apiKey
  const { apiKey } = await createApiKey(platform, { tenant, role: 'admin', name: 'first start' })
  writeCredentials(dataDir, { apiKey })
  return apiKey
}

const agentsKey = async (platform: EmbeddedPlatform): Promise<string> =>
  (await createApiKey(platform, { tenant, role: 'agent', name: 'supervised agents', id: agentKeyId })).apiKey

const createApp = (platform: EmbeddedPlatform, { host, version }: ServerOptions): Hono<ApiEnv> => {
  const app = new Hono<ApiEnv>()
  mountEmbedded(app, platform, hostCheck(host))
  return createApi({ platform, settings: { version, streamSeconds, holdSeconds: 25 } }, app)
}

/** A request that waits does so until its answer is over, or the server stops. */
const serveOn =
  (app: Hono<ApiEnv>, held: HeldRequests) =>
  (request: Request, { outgoing }: { outgoing: Writable }): Response | Promise<Response> =>
    app.fetch(request, { hold: () => held.hold(outgoing) })

const listen = (server: Server, { host, port }: ServerOptions): Promise<string> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', reject)
      const address = server.address() as AddressInfo
      const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
      resolve(`http://${shown}:${address.port}`)
    })
  })

const idleLookMs = 20

/** Answers whoever waits with what there is, and ends each connection once it has been answered. */
const stopListening = async (server: Server, letGo: () => void): Promise<void> => {
  const closed = new Promise((resolve) => server.close(resolve))
  letGo()
  const closing = setInterval(() => server.closeIdleConnections(), idleLookMs)
  const cutting = setTimeout(() => server.closeAllConnections(), 1000)
  await closed
  clearInterval(closing)
  clearTimeout(cutting)
}

const startAgents = async (platform: EmbeddedPlatform, { agents }: ServerOptions): Promise<void> => {
  await Promise.all(
    agents.map((source) => platform.hosts.scale({ tenant, agent: source, version: 'local', source }, 1)),
  )
}
