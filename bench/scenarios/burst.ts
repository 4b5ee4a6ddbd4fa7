import { register, submit } from '../api.ts'
import { floorTask, timed } from '../floor.ts'
import { atMost, ms } from '../row.ts'
import { inParallel } from '../statistics.ts'
import { startWorker } from '../worker.ts'
import type { Scenario } from './scenario.ts'

const tasks = 1000
const workMs = 2000

/** W3: a thousand tasks of two seconds at once, one worker that takes them all: until the last result. */
export const burst: Scenario = async ({ product, floor }) => {
  await register(product, 'w3')
  let left = tasks
  const { promise: allDone, resolve: done } = Promise.withResolvers<void>()
  const onEnd = (): void => void (--left === 0 && done())
  const worker = await startWorker(product, { agent: 'w3', slots: tasks, workMs, onStart: () => undefined, onEnd })
  const ours = await timed(async () => {
    await inParallel(tasks, 200, async () => void (await submit(product, 'w3')))
    await allDone
  })
  await worker.stop()
  const base = await timed(() => inParallel(tasks, tasks, (n) => floorTask(floor, `w3-${n}`, workMs)))
  return [atMost('W3 1,000 × 2 s at once, × floor', ours / base, 1.1, `${ms(ours)} / ${ms(base)}`)]
}
