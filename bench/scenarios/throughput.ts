import { createSubmitter, register, submit } from '../api.ts'
import { floorTask, timed } from '../floor.ts'
import { startBullServer } from '../peers/bullmq.ts'
import { inWords, type ProcessorTime, perOperation } from '../processor.ts'
import { atLeast, type Row, shown } from '../row.ts'
import { inParallel } from '../statistics.ts'
import { startWorker } from '../worker.ts'
import type { Scenario } from './scenario.ts'

const tasks = 6000
/** Of all who are measured, so many tasks before that do not count. */
const warmUp = 3000
const atOnce = 100
const shape = { workers: 10, slots: 10 }

/** Calls back when a task has ended, also one that ended before anybody asked. */
const createEnds = () => {
  const waiting = new Map<string, () => void>()
  const early = new Set<string>()
  return {
    ended(id: string): void {
      const wake = waiting.get(id)
      if (wake) wake()
      else early.add(id)
    },
    async until(id: string): Promise<void> {
      if (!early.delete(id)) await new Promise<void>((resolve) => waiting.set(id, resolve))
      waiting.delete(id)
    },
  }
}

/** W2: ten workers with ten slots each, a hundred tasks always under way. */
export const throughput: Scenario = async ({ product, floor, floorPid }) => {
  await register(product, 'w2')
  const ends = createEnds()
  const options = { agent: 'w2', slots: shape.slots, workMs: 0, onStart: () => undefined, onEnd: ends.ended }
  const workers = await Promise.all(Array.from({ length: shape.workers }, () => startWorker(product, options)))
  const run = (count: number, submitOne: () => Promise<string>) =>
    inParallel(count, atOnce, async () => ends.until(await submitOne()))
  const submitter = createSubmitter(product, 'w2')
  await run(warmUp, () => submit(product, 'w2'))
  const [ours, own] = await measured(product.pid, () => run(tasks, () => submit(product, 'w2')))
  await run(warmUp, submitter)
  const batched = await timed(() => run(tasks, submitter))
  await Promise.all(workers.map((worker) => worker.stop()))
  await inParallel(warmUp, atOnce, (n) => floorTask(floor, `w2-warm-${n}`))
  const [base, least] = await measured(floorPid, () => inParallel(tasks, atOnce, (n) => floorTask(floor, `w2-${n}`)))
  const perSecond = (time: number): number => (tasks / time) * 1000
  const rates = `${perSecond(ours).toFixed(0)} / ${perSecond(base).toFixed(0)} a second`
  return [
    atLeast('W2 10 × 10: tasks a second, × floor', perSecond(ours) / perSecond(base), 0.5, rates, { known: 0.25 }),
    shown("W2: the floor's processor time / a task's", least.main / own.main, `${inWords(own)} / ${inWords(least)}`),
    atLeast(
      'W2, submitted in batches as well, × floor',
      perSecond(batched) / perSecond(base),
      0.5,
      `${perSecond(batched).toFixed(0)} / ${perSecond(base).toFixed(0)} a second`,
      { known: 0.4 },
    ),
    ...(await peer(perSecond(ours))),
  ]
}

/** How long it takes, and what it takes of a server's processor for each task. */
const measured = async (pid: number, work: () => Promise<void>): Promise<[number, ProcessorTime]> => {
  let time = 0
  const each = await perOperation(pid, tasks, async () => {
    time = await timed(work)
  })
  return [time, each]
}

/** The same with BullMQ behind an HTTP front, on a Redis that flushes each write; nothing where there is no Redis. */
const peer = async (ours: number): Promise<Row[]> => {
  const bull = await startBullServer()
  if (bull === undefined) return []
  await bull.run({ tasks: warmUp, atOnce, ...shape })
  const time = await timed(() => bull.run({ tasks, atOnce, ...shape }))
  await bull.stop()
  const theirs = (tasks / time) * 1000
  return [shown('W2: tasks a second, × BullMQ', ours / theirs, `${ours.toFixed(0)} / ${theirs.toFixed(0)} a second`)]
}
