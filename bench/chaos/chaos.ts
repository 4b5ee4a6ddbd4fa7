/**
 * `npm run chaos`: a thousand tasks running on twenty worker processes; half of the workers and the server are killed
 * with `kill -9`, twice within a minute. At the end the history checker says what was lost, doubled or accepted that
 * should not have been. Takes some two minutes.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { TaskResponse } from '#shared/contracts/tasks.ts'
import { freePort } from '#test/support/free-port.ts'
import { register } from '../api.ts'
import { post } from '../http.ts'
import { type Product, startProduct } from '../targets.ts'

const tasks = 3000
const shape = { workers: 20, slots: 50 }
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const port = await freePort()
const history = join(tmpdir(), `devcycle-chaos-${process.pid}.jsonl`)
const serverArgs = ['--no-agents', '--port', String(port), '--history', history]
let server: Product = await startProduct(serverArgs)
const { dataDir } = server
const say = (what: string): void => console.log(`${(performance.now() / 1000).toFixed(1).padStart(6)} s  ${what}`)

/** Repeats a call until the server that is down is up again. */
const persistently = async <T>(call: () => Promise<T>): Promise<T> => {
  for (;;)
    try {
      return await call()
    } catch {
      await sleep(50)
    }
}
const submitOne = (number: number): Promise<unknown> =>
  persistently(() => post(`${server.url}/api/v2/tasks`, { capability: 'chaos', input: { number } }, server.apiKey))

const startWorkers = (count: number): ChildProcess[] =>
  Array.from({ length: count }, () =>
    spawn(process.execPath, [here('./worker.ts'), dataDir, String(shape.slots)], { stdio: 'ignore' }),
  )
let workers = startWorkers(shape.workers)

const killHalf = (): void => {
  for (const worker of workers.slice(0, shape.workers / 2)) worker.kill('SIGKILL')
  workers = [...workers.slice(shape.workers / 2), ...startWorkers(shape.workers / 2)]
  say('killed half of the workers, and started others')
}
const killServer = async (): Promise<void> => {
  process.kill(server.pid, 'SIGKILL')
  rmSync(`${dataDir}/server.json`, { force: true })
  server = await startProduct(serverArgs, dataDir)
  say(`killed the server; another one was ready after ${Math.round(server.readyMs)} ms`)
}

type Counts = Partial<Record<TaskResponse['status'], number>>
const countTasks = async (): Promise<Counts> => {
  const counts: Counts = {}
  for (let cursor: string | null = ''; cursor !== null; ) {
    const path: string = `/api/v2/tasks?limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`
    const headers = { authorization: `Bearer ${server.apiKey}` }
    const answer = await persistently(async () => (await fetch(server.url + path, { headers })).json())
    const page = answer as { items: TaskResponse[]; nextCursor: string | null }
    for (const { status } of page.items) counts[status] = (counts[status] ?? 0) + 1
    cursor = page.nextCursor
  }
  return counts
}

await persistently(() => register(server, 'chaos'))
let next = 0
const lane = async (): Promise<void> => {
  while (next < tasks) await submitOne(next++)
}
const submitted = Promise.all(Array.from({ length: 8 }, lane))
await sleep(12_000)
for (let round = 0; round < 2; round++) {
  say(JSON.stringify(await countTasks()))
  killHalf()
  await sleep(3000)
  await killServer()
  await sleep(15_000)
}
await submitted
for (let counts = await countTasks(); (counts.SUCCEEDED ?? 0) < tasks; counts = await countTasks()) {
  say(JSON.stringify(counts))
  await sleep(5000)
}
say(`all ${tasks} tasks have succeeded`)
for (const worker of workers) worker.kill('SIGKILL')
const checker = here('../../cli/server/faults/check-history.ts')
const { status } = spawnSync(process.execPath, [checker, history, '--data', dataDir], { stdio: 'inherit' })
server.stop()
process.exit(status ?? 1)
