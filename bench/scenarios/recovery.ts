import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { AttemptResponse, TaskResponse } from '#shared/contracts/tasks.ts'
import { ask, submit, untilStatus } from '../api.ts'
import { atMost, ms } from '../row.ts'
import { inParallel } from '../statistics.ts'
import { startProduct } from '../targets.ts'
import type { Scenario } from './scenario.ts'

const sleeper = fileURLToPath(new URL('../../test/fixtures/agents/sleeper', import.meta.url))
const rest = 18

const runnerOf = (server: number): number => {
  const lines = execFileSync('ps', ['-eo', 'pid,ppid,args']).toString().split('\n')
  const line = lines
    .map((one) => one.trim().split(/\s+/))
    .find(([, parent, ...args]) => parent === String(server) && args.join(' ').includes(sleeper))
  return Number(line?.[0])
}

/** W4: `kill -9` of an agent's process: until what it did runs again, and whether every task came to its one end. */
export const recovery: Scenario = async () => {
  const product = await startProduct(['--agent', sleeper])
  const slow = await submit(product, 'test.sleep', { input: { ms: 3000 }, priority: 'urgent' })
  await untilStatus(product, slow, ({ status }) => status === 'RUNNING')
  const ids = [slow]
  await inParallel(rest, 6, async () => void ids.push(await submit(product, 'test.sleep', { input: { ms: 50 } })))
  await sleep(500)
  const killed = Date.now()
  process.kill(runnerOf(product.pid), 'SIGKILL')
  await untilStatus(product, slow, ({ status, attempt }) => status === 'RUNNING' && attempt >= 2)
  const attempts = await ask<{ items: AttemptResponse[] }>(product, 'GET', `/tasks/${slow}/attempts`)
  const tasks: TaskResponse[] = []
  for (const id of ids) tasks.push(await untilStatus(product, id, ({ finishedAt }) => finishedAt !== undefined))
  const ends = await Promise.all(ids.map((id) => endsOf(product, id)))
  product.stop()
  const lost = tasks.filter(({ status }) => status !== 'SUCCEEDED').length
  const double = ends.filter((count) => count !== 1).length
  const again = Date.parse(attempts.items.at(-1)?.startedAt ?? '') - killed
  return [
    atMost('W4 kill -9 of an agent → running again', again / 1000, 1, ms(again), { unit: ' s' }),
    atMost('W4 lost, of 19 tasks', lost, 0, `${lost}`),
    atMost('W4 ended other than once, of 19 tasks', double, 0, `${double}`),
  ]
}

type Events = { items: { data: { status?: string } }[] }

/** How many ends the events of a task tell. */
const endsOf = async (product: Parameters<typeof ask>[0], id: string): Promise<number> => {
  await sleep(100)
  const { items } = await ask<Events>(product, 'GET', `/tasks/${id}/events?limit=200`)
  return items.filter(({ data }) => data.status === 'SUCCEEDED').length
}
