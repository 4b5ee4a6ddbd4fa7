import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type EmbeddedServer, startServer } from '#cli/server/embedded-server.ts'
import type { TaskResponse } from '#shared/contracts/tasks.ts'
import type { Joined } from '#shared/contracts/worker.ts'
import type { RunResponse } from '#shared/contracts/workflows.ts'

const home = mkdtempSync(join(tmpdir(), 'devcycle-stopping-'))
let server: EmbeddedServer
beforeEach(async () => {
  server = await startServer({ dataDir: home, host: '127.0.0.1', port: 0, agents: [], version: '0.0.0' })
})
afterEach(async () => {
  await server.close()
  rmSync(home, { recursive: true, force: true })
})

type Sent = { method?: string; body?: unknown; headers?: Record<string, string>; token?: string }
const ask = (path: string, { method = 'GET', body, headers, token = server.apiKey }: Sent = {}): Promise<Response> =>
  fetch(`${server.url}/api/v2${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  })
const post = (path: string, body: unknown, more?: Partial<Sent>) => ask(path, { method: 'POST', body, ...more })
const posted = async <T>(path: string, body: unknown): Promise<T> => (await (await post(path, body)).json()) as T
const read = async (answering: Promise<Response>) => {
  const answer = await answering
  return { status: answer.status, text: await answer.text() }
}

const anAgent = (): Promise<unknown> =>
  posted('/agents', { name: 'echo', type: 'test', capabilities: [{ name: 'text.echo' }] })
const aTask = (): Promise<TaskResponse> => posted('/tasks', { capability: 'text.echo', input: {} })
const definition = { workflow: 'waits', steps: [{ name: 'pause', kind: 'wait', for: '10m' }] }

/** Closes while these are open: their answers, and how long it took until they were there and the server was closed. */
const closedWith = async (...open: Promise<Response>[]) => {
  const answers = Promise.all(open.map(read))
  await sleep(300)
  const began = performance.now()
  const [given] = await Promise.all([answers, server.close()])
  return { given, ms: performance.now() - began }
}

it('answers whoever waits for a task with the task as it is', async () => {
  await anAgent()
  const { id } = await aTask()
  const prefer = { prefer: 'wait=20' }
  const { given, ms } = await closedWith(
    post('/tasks', { capability: 'text.echo', input: {} }, { headers: prefer }),
    ask(`/tasks/${id}`, { headers: prefer }),
  )
  expect(given.map(({ status }) => status)).toEqual([202, 200])
  expect(given.map(({ text }) => (JSON.parse(text) as TaskResponse).status)).toEqual(['QUEUED', 'QUEUED'])
  expect(ms).toBeLessThan(1000)
})

it('ends the streams of events of tasks and runs', async () => {
  await anAgent()
  const { id } = await aTask()
  await post('/workflows', { definition })
  const run = await posted<RunResponse>('/workflows/waits/runs', { input: {} })
  const headers = { accept: 'text/event-stream' }
  const { given, ms } = await closedWith(
    ask(`/tasks/${id}/events`, { headers }),
    ask(`/runs/${run.id}/events`, { headers }),
  )
  expect(given.map(({ status }) => status)).toEqual([200, 200])
  expect(given.map(({ text }) => text)).toEqual([expect.stringContaining('QUEUED'), expect.stringContaining('RUNNING')])
  expect(ms).toBeLessThan(1000)
})

it('answers workers and readers of mailboxes that wait', async () => {
  await anAgent()
  const join = () => posted<Joined>('/instances', { agent: 'echo' })
  const [{ instanceId, token }, other] = [await join(), await join()]
  await post(`/agents/echo/pause`, {})
  const asPaused = post(`/instances/${other.instanceId}/lease?wait=20`, { max: 1 }, { token: other.token })
  const { given, ms } = await closedWith(
    asPaused,
    post(`/instances/${instanceId}/heartbeat`, { running: [] }, { token, headers: { prefer: 'wait=20' } }),
    ask('/mailboxes/echo/messages?visibilitySeconds=30', { token, headers: { prefer: 'wait=20' } }),
  )
  expect(given.map(({ status }) => status)).toEqual([200, 200, 200])
  expect(ms).toBeLessThan(1000)
})

it('answers a lease that waits', async () => {
  await anAgent()
  const { instanceId, token } = await posted<Joined>('/instances', { agent: 'echo' })
  const { given, ms } = await closedWith(post(`/instances/${instanceId}/lease?wait=20`, { max: 1 }, { token }))
  expect(given).toEqual([{ status: 200, text: JSON.stringify({ tasks: [] }) }])
  expect(ms).toBeLessThan(1000)
})
