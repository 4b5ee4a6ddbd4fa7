import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { register, submit, submitMany, untilStatus } from '../api.ts'
import { floorTask, timed } from '../floor.ts'
import { atMost, ms, type Row } from '../row.ts'
import { inParallel, quantile } from '../statistics.ts'
import { type Product, startProduct } from '../targets.ts'
import { startWorker } from '../worker.ts'
import type { Scenario } from './scenario.ts'

const rounds = 300
const warmUp = 20
const loaded = { instances: 100, slots: 10 }
const realSlots = 100

type Samples = { start: number[]; end: number[] }

/** One task at a time: from the submit to the worker's start, and to the recorded result. */
const sample = async (product: Product, agent: string): Promise<Samples> => {
  await register(product, agent)
  const samples: Samples = { start: [], end: [] }
  let began = 0
  let done: () => void = () => undefined
  const worker = await startWorker(product, {
    agent,
    slots: 1,
    workMs: 0,
    onStart: () => void samples.start.push(performance.now() - began),
    onEnd: () => {
      samples.end.push(performance.now() - began)
      done()
    },
  })
  for (let n = 0; n < rounds; n++) {
    const ended = new Promise<void>((resolve) => {
      done = resolve
    })
    await sleep(2)
    began = performance.now()
    await submit(product, agent)
    await ended
  }
  await worker.stop()
  return { start: samples.start.slice(warmUp), end: samples.end.slice(warmUp) }
}

const sampleFloor = async (floor: string): Promise<number[]> => {
  const samples: number[] = []
  for (let n = 0; n < rounds; n++) {
    await sleep(2)
    samples.push(await timed(() => floorTask(floor, `w1-${n}`)))
  }
  return samples.slice(warmUp)
}

const rowsOf = (name: string, { start, end }: Samples, floor: number[]): Row[] => {
  const [started, ended, base] = [start, end, floor].map((list) => quantile(list, 0.5)) as [number, number, number]
  const p99 = quantile(start, 0.99)
  return [
    atMost(`${name}: submit → start, p50, × floor`, started / base, 2, `${ms(started)} / ${ms(base)}`),
    atMost(`${name}: submit → start, p99`, p99, 100, `${ms(p99)}; → result p50 ${ms(ended)}`, { unit: ' ms' }),
  ]
}

/** W1 with nothing else under way. */
export const startLatency: Scenario = async ({ product, floor }) =>
  rowsOf('W1 idle', await sample(product, 'w1'), await sampleFloor(floor))

/** W1 while a thousand tasks run on a hundred instances that give signs of life. */
export const startLatencyLoaded: Scenario = async ({ product, floor }) => {
  await register(product, 'w1-load')
  let started = 0
  const workers = await Promise.all(
    Array.from({ length: loaded.instances }, () =>
      startWorker(product, {
        agent: 'w1-load',
        slots: loaded.slots,
        workMs: 600_000,
        onStart: () => started++,
        onEnd: () => undefined,
      }),
    ),
  )
  await submitMany(product, 'w1-load', loaded.instances * loaded.slots)
  while (started < loaded.instances * loaded.slots) await sleep(20)
  const rows = rowsOf('W1 with 1,000 running', await sample(product, 'w1-loaded'), await sampleFloor(floor))
  await Promise.all(workers.map((worker) => worker.stop()))
  return rows
}

/** W1 while a hundred processes of an agent are at work. */
export const startLatencySlots: Scenario = async ({ floor }) => {
  const folder = fileURLToPath(new URL('../agents/hundred', import.meta.url))
  const product = await startProduct(['--agent', folder])
  const ids: string[] = []
  await inParallel(realSlots, 10, async () => void ids.push(await submit(product, 'bench.hold')))
  await inParallel(realSlots, 10, async (n) => void (await untilStatus(product, ids[n] ?? '', isRunning)))
  await sleep(3000)
  const rows = rowsOf('W1 with 100 real slots', await sample(product, 'w1'), await sampleFloor(floor))
  product.stop()
  return rows
}

const isRunning = ({ status, progress }: { status: string; progress?: { percent?: number } }): boolean =>
  status === 'RUNNING' && progress !== undefined
