/** The thread of expressions that could take too much: its process hears of other things meanwhile. */
import { parentPort } from 'node:worker_threads'
import { answerRequest, type WorkerRequest } from './jsonata-request.ts'

const port = parentPort
if (port === null) throw new Error('expressions are evaluated in a worker thread')

port.on('message', async (request: WorkerRequest) => port.postMessage(await answerRequest(request)))
