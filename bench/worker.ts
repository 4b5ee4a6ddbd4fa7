import { setTimeout as sleep } from 'node:timers/promises'
import type { Joined, LeaseAnswer } from '#shared/contracts/worker.ts'
import { post } from './http.ts'
import type { Product } from './targets.ts'

type Options = {
  agent: string
  slots: number
  workMs: number
  onStart: (task: string) => void
  onEnd: (task: string) => void
}
type Ended = { taskId: string; fence: string; result: unknown }

const chunksOf = <T>(list: T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, at) => list.slice(at * size, (at + 1) * size))

/** An instance over the bare worker protocol: what ended in the same moment is completed in one call. */
export const startWorker = async ({ url, apiKey }: Product, { agent, slots, workMs, onStart, onEnd }: Options) => {
  const base = `${url}/api/v2`
  const joined = (await post(`${base}/instances`, { agent, slots }, apiKey)).body as Joined
  const path = `${base}/instances/${joined.instanceId}`
  const running = new Map<string, string>()
  const stopping = new AbortController()
  const ended: Ended[] = []

  const complete = async (): Promise<void> => {
    for (const completions of chunksOf(ended.splice(0), 100)) {
      await post(`${path}/complete`, { completions }, joined.token)
      for (const { taskId } of completions) running.delete(taskId)
      for (const { taskId } of completions) onEnd(taskId)
    }
  }
  const run = async (taskId: string, fence: string): Promise<void> => {
    onStart(taskId)
    if (workMs > 0) await sleep(workMs, undefined, { signal: stopping.signal, ref: false })
    if (ended.push({ taskId, fence, result: { ok: true } }) === 1) setImmediate(() => void complete())
  }
  const lease = async (): Promise<void> => {
    const { body } = await post(`${path}/lease?wait=2`, { max: slots - running.size }, joined.token)
    for (const { taskId, fence } of (body as LeaseAnswer).tasks ?? []) {
      running.set(taskId, fence)
      run(taskId, fence).catch(() => undefined)
    }
  }
  const leaseLoop = async (): Promise<void> => {
    while (!stopping.signal.aborted)
      if (running.size >= slots) await sleep(workMs > 10_000 ? 100 : 1)
      else await lease()
  }
  const beat = (): void => {
    const list = [...running].map(([taskId, fence]) => ({ taskId, fence }))
    void post(`${path}/heartbeat`, { running: list }, joined.token)
  }
  const beating = setInterval(beat, joined.heartbeatSeconds * 1000)
  const looping = leaseLoop()
  return {
    async stop() {
      stopping.abort()
      clearInterval(beating)
      await looping
    },
  }
}
