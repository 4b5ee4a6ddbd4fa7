/**
 * `npm run bench`: the embedded host against the floor, the same HTTP server doing only the two durable writes that a
 * task needs. Ratios of one run count; milliseconds are this machine's.
 */
import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskResponse } from '#shared/contracts/tasks.ts'
import { post } from './http.ts'
import { measureRecovery } from './recovery.ts'
import { inParallel, quantile } from './statistics.ts'
import { type Product, residentMb, startFloor, startProduct } from './targets.ts'
import { startWorker } from './worker.ts'

const rounds = { w1: 300, w2: 4000, w3: 1000 }
const taskSeconds = 2

const floorTask = async (url: string, id: string, workMs = 0): Promise<void> => {
  await post(`${url}/write`, { id, step: 'submit' })
  if (workMs > 0) await sleep(workMs)
  await post(`${url}/write`, { id, step: 'complete' })
}

const timed = async (work: () => Promise<void>): Promise<number> => {
  const began = performance.now()
  await work()
  return performance.now() - began
}

const register = (product: Product, name: string) =>
  post(`${product.url}/api/v2/agents`, { name, capabilities: [{ name }] }, product.apiKey)

const submit = async (product: Product, capability: string): Promise<string> =>
  ((await post(`${product.url}/api/v2/tasks`, { capability }, product.apiKey)).body as TaskResponse).id

/** One at a time: from the submit to the worker's start, and to the recorded result. */
const w1 = async (product: Product, floor: string) => {
  await register(product, 'w1')
  const starts: number[] = []
  const ends: number[] = []
  let began = 0
  let done: () => void = () => undefined
  const worker = await startWorker(product, {
    agent: 'w1',
    slots: 1,
    workMs: 0,
    onStart: () => void starts.push(performance.now() - began),
    onEnd: () => {
      ends.push(performance.now() - began)
      done()
    },
  })
  for (let n = 0; n < rounds.w1; n++) {
    const ended = new Promise<void>((resolve) => {
      done = resolve
    })
    await sleep(2)
    began = performance.now()
    await submit(product, 'w1')
    await ended
  }
  await worker.stop()
  const floors: number[] = []
  for (let n = 0; n < rounds.w1; n++) {
    await sleep(2)
    floors.push(await timed(() => floorTask(floor, `w1-${n}`)))
  }
  const warm = <T>(samples: T[]): T[] => samples.slice(20)
  return { start: warm(starts), end: warm(ends), floor: warm(floors) }
}

/** Ten workers with ten slots each, a hundred tasks always under way: tasks a second. */
const w2 = async (product: Product, floor: string) => {
  await register(product, 'w2')
  const waiting = new Map<string, () => void>()
  const early = new Set<string>()
  const onEnd = (id: string): void => {
    const wake = waiting.get(id)
    if (wake) wake()
    else early.add(id)
  }
  const workers = await Promise.all(
    Array.from({ length: 10 }, () =>
      startWorker(product, { agent: 'w2', slots: 10, workMs: 0, onStart: () => undefined, onEnd }),
    ),
  )
  const ms = await timed(() =>
    inParallel(rounds.w2, 100, async () => {
      const id = await submit(product, 'w2')
      if (!early.delete(id)) await new Promise<void>((resolve) => waiting.set(id, resolve))
      waiting.delete(id)
    }),
  )
  await Promise.all(workers.map((worker) => worker.stop()))
  const floorMs = await timed(() => inParallel(rounds.w2, 100, (n) => floorTask(floor, `w2-${n}`)))
  return { perSecond: (rounds.w2 / ms) * 1000, floorPerSecond: (rounds.w2 / floorMs) * 1000 }
}

/** A thousand tasks of two seconds at once, one worker that takes them all: until the last result. */
const w3 = async (product: Product, floor: string) => {
  await register(product, 'w3')
  let left = rounds.w3
  let done: () => void = () => undefined
  const allDone = new Promise<void>((resolve) => {
    done = resolve
  })
  const onEnd = (): void => {
    if (--left === 0) done()
  }
  const worker = await startWorker(product, {
    agent: 'w3',
    slots: rounds.w3,
    workMs: taskSeconds * 1000,
    onStart: () => undefined,
    onEnd,
  })
  const ms = await timed(async () => {
    await inParallel(rounds.w3, 200, async () => void (await submit(product, 'w3')))
    await allDone
  })
  await worker.stop()
  const floorMs = await timed(() =>
    inParallel(rounds.w3, rounds.w3, (n) => floorTask(floor, `w3-${n}`, taskSeconds * 1000)),
  )
  return { ms, floorMs }
}

type Row = { what: string; measured: string; ratio: number; wanted: string; good: boolean }
const atMost = (what: string, value: number, limit: number, measured: string, unit = ''): Row => ({
  what,
  measured,
  ratio: value,
  wanted: `≤ ${limit}${unit}`,
  good: value <= limit,
})

const print = (rows: Row[]): void => {
  const [model = 'unknown processor'] = cpus().map((cpu) => cpu.model)
  console.log(`${cpus().length} × ${model}, Node ${process.version}\n`)
  console.log('| what | measured | value | wanted | |\n|---|---|---|---|---|')
  for (const { what, measured, ratio, wanted, good } of rows)
    console.log(`| ${what} | ${measured} | ${ratio.toFixed(2)} | ${wanted} | ${good ? 'ok' : 'missed'} |`)
}

const product = await startProduct(['--no-agents'])
const floor = await startFloor()
await sleep(1000)
const rest = residentMb(product.pid)
const one = await w1(product, floor.url)
const two = await w2(product, floor.url)
const three = await w3(product, floor.url)
product.stop()
floor.stop()
const recoveryMs = await measureRecovery()

const ms = (value: number): string => `${value.toFixed(1)} ms`
const p50 = (samples: number[]): number => quantile(samples, 0.5)
print([
  atMost(
    'W1 submit → start, p50, × floor',
    p50(one.start) / p50(one.floor),
    2,
    `${ms(p50(one.start))} / ${ms(p50(one.floor))}, p99 ${ms(quantile(one.start, 0.99))}`,
  ),
  atMost(
    'W1 submit → result, p50, × floor',
    p50(one.end) / p50(one.floor),
    3,
    `${ms(p50(one.end))} / ${ms(p50(one.floor))}, p99 ${ms(quantile(one.end, 0.99))}`,
  ),
  {
    what: 'W2 10 × 10, tasks a second, × floor',
    measured: `${two.perSecond.toFixed(0)} / ${two.floorPerSecond.toFixed(0)} a second`,
    ratio: two.perSecond / two.floorPerSecond,
    wanted: '≥ 0.3',
    good: two.perSecond / two.floorPerSecond >= 0.3,
  },
  atMost('W3 1,000 × 2 s at once, × floor', three.ms / three.floorMs, 1.1, `${ms(three.ms)} / ${ms(three.floorMs)}`),
  atMost('kill -9 of an agent → running again', recoveryMs / 1000, 1, ms(recoveryMs), ' s'),
  atMost('server start → ready', product.readyMs / 1000, 2, ms(product.readyMs), ' s'),
  atMost('resident at rest, without agents', rest, 150, `${rest.toFixed(0)} MB`, ' MB'),
])
process.exit(0)
