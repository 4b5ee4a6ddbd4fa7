import type { AgentResponse } from '#shared/contracts/agents.ts'
import type { TaskResponse } from '#shared/contracts/tasks.ts'
import { post } from './http.ts'
import type { Product } from './targets.ts'

export const register = async (product: Product, name: string, more: object = {}): Promise<AgentResponse> =>
  (await post(`${product.url}/api/v2/agents`, { name, capabilities: [{ name }], ...more }, product.apiKey))
    .body as AgentResponse

export const submit = async (product: Product, capability: string, more: object = {}): Promise<string> =>
  ((await post(`${product.url}/api/v2/tasks`, { capability, ...more }, product.apiKey)).body as TaskResponse).id

/** A client that sends what it is asked for in one moment as one request. */
export const createSubmitter = (product: Product, capability: string) => {
  const waiting: ((id: string) => void)[] = []
  const send = async (): Promise<void> => {
    const batch = waiting.splice(0, 100)
    if (waiting.length > 0) setImmediate(() => void send())
    const tasks = batch.map(() => ({ capability }))
    const { body } = await post(`${product.url}/api/v2/tasks:batch`, { tasks }, product.apiKey)
    const { items } = body as { items: { task: TaskResponse }[] }
    for (const [at, resolve] of batch.entries()) resolve(items[at]?.task.id ?? '')
  }
  return (): Promise<string> =>
    new Promise((resolve) => {
      if (waiting.push(resolve) === 1) setImmediate(() => void send())
    })
}

/** A hundred in one request. */
export const submitMany = async (product: Product, capability: string, count: number, more: object = {}) => {
  const tasks = Array.from({ length: count }, () => ({ capability, ...more }))
  for (let at = 0; at < count; at += 100)
    await post(`${product.url}/api/v2/tasks:batch`, { tasks: tasks.slice(at, at + 100) }, product.apiKey)
}

/** An answer of the API, by any method. */
export const ask = async <T>(
  { url, apiKey }: Product,
  method: string,
  path: string,
  body?: unknown,
  more: Record<string, string> = {},
): Promise<T> => {
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', ...more }
  const response = await fetch(`${url}/api/v2${path}`, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
  })
  return (await response.json()) as T
}

export const untilStatus = async (product: Product, id: string, wanted: (task: TaskResponse) => boolean) => {
  for (;;) {
    const task = await ask<TaskResponse>(product, 'GET', `/tasks/${id}`)
    if (wanted(task)) return task
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
