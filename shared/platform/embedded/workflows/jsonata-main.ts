/** The process of expressions that could take too much. It hears of the end of its parent while one of them is evaluated. */
import { Worker } from 'node:worker_threads'
import type { WorkerAnswer, WorkerRequest } from './jsonata-request.ts'

const resourceLimits = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 }
const worker = new Worker(new URL('./jsonata-worker.ts', import.meta.url), { resourceLimits })
const end = (): never => process.exit()

worker.on('online', () => process.send?.('ready'))
worker.on('message', (answer: WorkerAnswer) => process.send?.(answer))
worker.on('error', end)
worker.on('exit', end)
process.on('message', (request: WorkerRequest) => worker.postMessage(request))
process.on('disconnect', end)
