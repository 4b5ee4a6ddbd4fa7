import { setTimeout as sleep } from 'node:timers/promises'
import { ask, register, submit } from '../api.ts'
import { atMost, ms } from '../row.ts'
import { quantile } from '../statistics.ts'
import type { Product } from '../targets.ts'
import { startWorker } from '../worker.ts'
import type { Scenario } from './scenario.ts'

const runs = 40
const steps = 6
const capability = 'next-step'

const definition = [
  'workflow: next-step',
  'steps:',
  ...Array.from({ length: steps }, (_, at) => `  - { name: step${at}, kind: task, capability: ${capability} }`),
].join('\n')

/** When each task of a worker started and when its result was acknowledged, in order. */
const watch = async (product: Product) => {
  const times = { started: [] as number[], ended: [] as number[] }
  let wake = (): void => undefined
  const worker = await startWorker(product, {
    agent: capability,
    slots: 1,
    workMs: 0,
    onStart: () => void times.started.push(performance.now()),
    onEnd: () => {
      times.ended.push(performance.now())
      wake()
    },
  })
  const until = async (count: number): Promise<void> => {
    while (times.ended.length < count)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
  }
  return { ...times, until, stop: worker.stop }
}

/** From the acknowledged end of a task to the start of the next step's, against submit → start on the same server. */
export const nextStep: Scenario = async ({ product }) => {
  await register(product, capability)
  await ask(product, 'POST', '/workflows', { definition })
  const { started, ended, until, stop } = await watch(product)
  const submitted: number[] = []
  const between: number[] = []
  for (let run = 0; run < runs; run++) {
    const first = started.length
    await ask(product, 'POST', '/workflows/next-step/runs', {})
    await until(first + steps)
    for (let at = first + 1; at < first + steps; at++) between.push((started[at] ?? 0) - (ended[at - 1] ?? 0))
    await sleep(50)
    const began = performance.now()
    await submit(product, capability)
    await until(first + steps + 1)
    submitted.push((started.at(-1) ?? 0) - began)
  }
  await stop()
  const [next, engine] = [quantile(between, 0.5), quantile(submitted, 0.5)]
  const measured = `${ms(next)} / ${ms(engine)}; p95 ${ms(quantile(between, 0.95))}`
  return [atMost("a task's end → the next step's start, p50, × submit → start", next / engine, 2, measured)]
}
