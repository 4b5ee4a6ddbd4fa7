import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskResponse } from '#shared/contracts/tasks.ts'
import type { Joined, LeasedTask } from '#shared/contracts/worker.ts'
import { until } from '#test/support/server-process.ts'
import type { Deployment } from './deployment.ts'

/** Parsed JSON, of whatever shape the test expects. */
export type Json = ReturnType<typeof JSON.parse>
type CallOptions = { body?: unknown; key?: string; headers?: Record<string, string> }
type Worker = Pick<Joined, 'instanceId' | 'token'>

const ends = ['SUCCEEDED', 'FAILED', 'CANCELLED']

/** As `until`, with a pause between looks: each of them is work for a machine that runs everything. */
export const awaited = <T>(check: () => Promise<T>, what: string, seconds = 150): Promise<NonNullable<T>> =>
  until(
    async () => {
      const found = await check()
      if (!found) await sleep(500)
      return found
    },
    { seconds, what },
  )

/** What the tests ask of the API that was deployed. */
export const callsOf = (app: () => Deployment) => {
  const call = async (method: string, path: string, { body, key, headers }: CallOptions = {}) => {
    const response = await fetch(`${app().url}/api/v2${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key ?? app().apiKey}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    return { status: response.status, body: (await response.json().catch(() => undefined)) as Json }
  }
  const get = async (path: string): Promise<Json> => (await call('GET', path)).body
  const post = (path: string, body?: unknown, options: CallOptions = {}) => call('POST', path, { body, ...options })
  const taskOf = (id: string): Promise<TaskResponse> => get(`/tasks/${id}`)
  const lease = async ({ instanceId, token }: Worker, max = 1, wait = 0): Promise<LeasedTask[]> =>
    (await post(`/instances/${instanceId}/lease?wait=${wait}`, { max }, { key: token })).body.tasks
  return {
    call,
    get,
    post,
    taskOf,
    lease,
    /** The command line's answer. */
    async json(...words: string[]): Promise<Json> {
      const { code, stdout, stderr } = await app().cli(...words, '--json')
      if (code !== 0) throw new Error(`devcycle ${words.join(' ')} ended with ${code}: ${stderr}`)
      return JSON.parse(stdout)
    },
    ended: (id: string, seconds?: number): Promise<TaskResponse> =>
      awaited(
        async () => {
          const task = await taskOf(id)
          return ends.includes(task.status) ? task : undefined
        },
        `the end of ${id}`,
        seconds,
      ),
    why: (id: string): Promise<Json> => get(`/tasks/${id}/why`),
    /** An agent that offers a capability of its own name, and an instance of it. */
    async work(
      name: string,
      { slots = 1, ...agent }: { slots?: number; configuration?: object } = {},
    ): Promise<Joined> {
      const capabilities = [{ name }]
      await post('/agents', { name, capabilities, ...agent })
      return (await post('/instances', { agent: name, slots })).body
    },
    submit: async (capability: string, more: object = {}): Promise<string> =>
      (await post('/tasks', { capability, ...more })).body.id,
    /** The next task that an instance is handed. */
    next: (worker: Worker): Promise<LeasedTask> => awaited(async () => (await lease(worker, 1, 5))[0], 'a lease'),
    /** What an instance says of a task that it holds. */
    tell: (verb: string, { token }: Worker, { taskId, fence }: Pick<LeasedTask, 'taskId' | 'fence'>, body: object) =>
      post(`/tasks/${taskId}/${verb}`, { fence, ...body }, { key: token }),
  }
}
export type Calls = ReturnType<typeof callsOf>
