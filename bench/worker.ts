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

const chunksOf = <T>(list: T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, at) => list.slice(at * size, (at + 1) * size))

/** An instance over the bare worker protocol. */
export const startWorker = async ({ url, apiKey }: Product, { agent, slots, workMs, onStart, onEnd }: Options) => {
  const base = `${url}/api/v2`
  const joined = (await post(`${base}/instances`, { agent, slots }, apiKey)).body as Joined
  let running = 0
  let stopped = false
  const ended: { taskId: string; fence: string; result: unknown }[] = []
  /** What ended in the same moment goes in one call. */
  const complete = async (): Promise<void> => {
    for (const completions of chunksOf(ended.splice(0), 100)) {
      await post(`${base}/instances/${joined.instanceId}/complete`, { completions }, joined.token)
      running -= completions.length
      for (const { taskId } of completions) onEnd(taskId)
    }
  }
  const run = async (taskId: string, fence: string): Promise<void> => {
    onStart(taskId)
    if (workMs > 0) await sleep(workMs)
    if (ended.push({ taskId, fence, result: { ok: true } }) === 1) setImmediate(() => void complete())
  }
  const loop = async (): Promise<void> => {
    while (!stopped) {
      if (running >= slots) {
        await sleep(1)
        continue
      }
      const { body } = await post(
        `${base}/instances/${joined.instanceId}/lease?wait=2`,
        { max: slots - running },
        joined.token,
      )
      for (const { taskId, fence } of (body as LeaseAnswer).tasks) {
        running++
        void run(taskId, fence)
      }
    }
  }
  const looping = loop()
  return {
    async stop() {
      stopped = true
      await looping
    },
  }
}
