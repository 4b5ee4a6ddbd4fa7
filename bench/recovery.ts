import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { AttemptResponse, TaskResponse } from '#shared/contracts/tasks.ts'
import { type Product, startProduct } from './targets.ts'

const sleeper = fileURLToPath(new URL('../test/fixtures/agents/sleeper', import.meta.url))

const api = async <T>({ url, apiKey }: Product, method: string, path: string, body?: unknown): Promise<T> => {
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
  const response = await fetch(`${url}/api/v2${path}`, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
  })
  return (await response.json()) as T
}

const untilRunning = async (product: Product, id: string, attempt: number): Promise<void> => {
  for (;;) {
    const task = await api<TaskResponse>(product, 'GET', `/tasks/${id}`)
    if (task.status === 'RUNNING' && task.attempt >= attempt) return
    await sleep(5)
  }
}

const runnerOf = (server: number): number => {
  const lines = execFileSync('ps', ['-eo', 'pid,ppid,args']).toString().split('\n')
  const line = lines
    .map((one) => one.trim().split(/\s+/))
    .find(([, parent, ...args]) => parent === String(server) && args.join(' ').includes(sleeper))
  return Number(line?.[0])
}

/** Milliseconds from `kill -9` of an agent's process until what it did runs again. */
export const measureRecovery = async (): Promise<number> => {
  const product = await startProduct(['--agent', sleeper])
  const { id } = await api<TaskResponse>(product, 'POST', '/tasks', { capability: 'test.sleep', input: { ms: 30_000 } })
  await untilRunning(product, id, 1)
  await sleep(500)
  const killed = Date.now()
  process.kill(runnerOf(product.pid), 'SIGKILL')
  await untilRunning(product, id, 2)
  const { items } = await api<{ items: AttemptResponse[] }>(product, 'GET', `/tasks/${id}/attempts`)
  await api(product, 'POST', `/tasks/${id}/cancel`)
  product.stop()
  await sleep(500)
  return Date.parse(items.at(-1)?.startedAt ?? '') - killed
}
