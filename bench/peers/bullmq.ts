import { fork, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from '#test/support/free-port.ts'
import { post } from '../http.ts'
import { inParallel } from '../statistics.ts'

type Shape = { tasks: number; atOnce: number; workers: number; slots: number }

/** A Redis that flushes each write before it answers, as the product does. */
const startRedis = async (): Promise<{ port: number; stop: () => void } | undefined> => {
  if (spawnSync('redis-server', ['--version']).error) return undefined
  const port = await freePort()
  const dir = mkdtempSync(join(tmpdir(), 'devcycle-redis-'))
  const flags = ['--port', String(port), '--dir', dir, '--appendonly', 'yes', '--appendfsync', 'always', '--save', '']
  const child = spawn('redis-server', flags, { stdio: 'ignore' })
  await sleep(500)
  return { port, stop: () => void child.kill('SIGKILL') }
}

/** BullMQ with an HTTP front in a process of its own; `undefined` where there is no `redis-server`. */
export const startBullServer = async () => {
  const redis = await startRedis()
  if (redis === undefined) return undefined
  const script = fileURLToPath(new URL('./bullmq-server.ts', import.meta.url))
  const child = fork(script, [String(redis.port)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const { url } = await new Promise<{ url: string }>((resolve) =>
    child.once('message', (message) => resolve(message as { url: string })),
  )
  return {
    /** The work of W2, with leases and completions batched in the same way. */
    async run({ tasks, atOnce, workers, slots }: Shape): Promise<void> {
      let ended = 0
      const waiting = new Map<string, () => void>()
      const early = new Set<string>()
      const end = (id: string): void => {
        ended++
        const wake = waiting.get(id)
        if (wake) wake()
        else early.add(id)
      }
      const work = async (): Promise<void> => {
        while (ended < tasks) {
          const { body } = await post(`${url}/lease`, { max: slots })
          const ids = (body as { tasks: { taskId: string }[] }).tasks.map(({ taskId }) => taskId)
          if (ids.length > 0) await post(`${url}/complete`, { taskIds: ids })
          else await sleep(1)
          for (const id of ids) end(id)
        }
      }
      const submitOne = async (n: number): Promise<void> => {
        const { id } = (await post(`${url}/submit`, { n })).body as { id: string }
        if (!early.delete(id)) await new Promise<void>((resolve) => waiting.set(id, resolve))
      }
      await Promise.all([inParallel(tasks, atOnce, submitOne), ...Array.from({ length: workers }, work)])
    },
    async stop(): Promise<void> {
      child.kill('SIGKILL')
      redis.stop()
    },
  }
}
