import { setTimeout as sleep } from 'node:timers/promises'
import type { Joined, LeaseAnswer, LeasedTask } from '#shared/contracts/worker.ts'

type Options = {
  url: () => string
  apiKey: string
  agent: string
  slots: number
  /** Answers the result of a task. */
  work: (task: LeasedTask) => Promise<unknown>
}

/** A worker that speaks the bare protocol over HTTP, and survives restarts of the server. */
export const startProtocolWorker = async ({ url, apiKey, agent, slots, work }: Options) => {
  const stopping = new AbortController()
  const send = async (path: string, body: unknown, key: string): Promise<Response> =>
    fetch(`${url()}/api/v2${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: stopping.signal,
    })
  const repeat = async (path: string, body: unknown, key: string): Promise<Response> => {
    for (;;)
      try {
        const response = await send(path, body, key)
        if (response.status < 500) return response
      } catch (error) {
        if (stopping.signal.aborted) throw error
        await sleep(50)
      }
  }
  const joined = (await (await repeat('/instances', { agent, slots }, apiKey)).json()) as Joined
  const running = new Map<string, string>()
  const refused: string[] = []

  const runOne = async (task: LeasedTask): Promise<void> => {
    running.set(task.taskId, task.fence)
    const result = await work(task)
    const response = await repeat(`/tasks/${task.taskId}/complete`, { fence: task.fence, result }, joined.token)
    if (response.status !== 200) refused.push(((await response.json()) as { code: string }).code)
    running.delete(task.taskId)
  }
  const leaseLoop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const max = slots - running.size
      if (max === 0) {
        await sleep(5)
        continue
      }
      const response = await repeat(`/instances/${joined.instanceId}/lease?wait=1`, { max }, joined.token)
      const { tasks = [] } = (await response.json()) as Partial<LeaseAnswer>
      for (const task of tasks) runOne(task).catch(() => undefined)
    }
  }
  const beatLoop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const list = [...running].map(([taskId, fence]) => ({ taskId, fence }))
      await repeat(`/instances/${joined.instanceId}/heartbeat`, { running: list }, joined.token)
      await sleep(2000, undefined, { signal: stopping.signal })
    }
  }
  const loops = [leaseLoop(), beatLoop()].map((loop) => loop.catch(() => undefined))
  return {
    joined,
    refused,
    running: () => running.size,
    async stop() {
      stopping.abort()
      await Promise.all(loops)
    },
  }
}
