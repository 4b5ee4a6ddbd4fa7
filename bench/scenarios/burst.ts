import { createSubmitter, register, submit } from '../api.ts'
import { floorTask, timed } from '../floor.ts'
import { atMost, ms } from '../row.ts'
import { inParallel } from '../statistics.ts'
import type { Product } from '../targets.ts'
import { startWorker } from '../worker.ts'
import type { Scenario } from './scenario.ts'

const tasks = 1000
const workMs = 2000
/** Requests with one task each are sent by so many at a time; what goes in batches is handed over at once. */
const atOnce = 200

/** Until the last result, with one worker that takes them all. */
const until = async (product: Product, agent: string, width: number, submitOne: () => Promise<string>) => {
  await register(product, agent)
  let left = tasks
  const { promise: allDone, resolve: done } = Promise.withResolvers<void>()
  const onEnd = (): void => void (--left === 0 && done())
  const worker = await startWorker(product, { agent, slots: tasks, workMs, onStart: () => undefined, onEnd })
  const time = await timed(async () => {
    await inParallel(tasks, width, async () => void (await submitOne()))
    await allDone
  })
  await worker.stop()
  return time
}

/** W3: a thousand tasks of two seconds at once, in requests of one task each, and in requests of a hundred. */
export const burst: Scenario = async ({ product, floor }) => {
  const single = await until(product, 'w3', atOnce, () => submit(product, 'w3'))
  const batched = await until(product, 'w3-batches', tasks, createSubmitter(product, 'w3-batches'))
  const base = await timed(() => inParallel(tasks, tasks, (n) => floorTask(floor, `w3-${n}`, workMs)))
  const against = (time: number): string => `${ms(time)} / ${ms(base)}`
  return [
    atMost('W3 1,000 × 2 s at once, × floor', single / base, 1.1, against(single), { known: 1.35 }),
    atMost('W3, submitted in batches, × floor', batched / base, 1.1, against(batched)),
  ]
}
