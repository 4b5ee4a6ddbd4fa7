import { setTimeout as sleep } from 'node:timers/promises'
import type { CancelledTasks } from '#shared/contracts/control.ts'
import { ask, register, submitMany } from '../api.ts'
import { atMost, ms } from '../row.ts'
import { startWorker } from '../worker.ts'
import type { Scenario } from './scenario.ts'

const tasks = 1000

/** The kill switch: a thousand running tasks, until all of them are cancelled. */
export const killSwitch: Scenario = async ({ product }) => {
  await register(product, 'kill')
  let started = 0
  const options = { agent: 'kill', slots: 100, workMs: 600_000, onStart: () => void started++, onEnd: () => undefined }
  const workers = await Promise.all(Array.from({ length: tasks / 100 }, () => startWorker(product, options)))
  await submitMany(product, 'kill', tasks)
  while (started < tasks) await sleep(20)
  const began = performance.now()
  const body = { filter: { agent: 'kill', status: 'RUNNING' } }
  const { cancelled } = await ask<CancelledTasks>(product, 'POST', '/tasks:cancel', body)
  const took = performance.now() - began
  await Promise.all(workers.map((worker) => worker.stop()))
  return [atMost(`cancel ${cancelled} of ${tasks} running tasks by filter`, took / 1000, 5, ms(took), { unit: ' s' })]
}
