/** The process of expressions that could take too much. It hears of the end of its parent while one of them is evaluated. */
import { Worker } from 'node:worker_threads'
import { mostMs, processorMs, tooLongCode, type WorkerAnswer, type WorkerRequest } from './jsonata-request.ts'

const resourceLimits = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 }
const worker = new Worker(new URL('./jsonata-worker.ts', import.meta.url), { resourceLimits })
const lookMs = 100
const end = (): never => process.exit()

let watch: NodeJS.Timeout | undefined
const evaluate = (request: WorkerRequest): void => {
  const before = process.cpuUsage()
  const look = (): void => {
    if (processorMs(process.cpuUsage(before)) > mostMs) process.exit(tooLongCode)
  }
  watch = setInterval(look, lookMs)
  worker.postMessage(request)
}
const answer = (one: WorkerAnswer): void => {
  clearInterval(watch)
  process.send?.(one)
}

worker.on('message', answer)
worker.on('error', end)
worker.on('exit', end)
process.on('message', evaluate)
process.on('disconnect', end)
