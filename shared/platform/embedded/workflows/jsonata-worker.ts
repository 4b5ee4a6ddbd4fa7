/** The thread of expressions that could take too much: it ends with them, and another one is started. */
import { parentPort } from 'node:worker_threads'
import { compile, isFunction, type Limits, reasonOf } from './jsonata-functions.ts'

export type WorkerRequest = {
  source: string
  bindings: Record<string, unknown>
  limits: Limits
  mostCharacters: number
}
/** `json` is the result as text, `undefined` when there is none. */
export type WorkerAnswer = { json?: string } | { reason: string }

const port = parentPort
if (port === null) throw new Error('expressions are evaluated in a worker thread')

const answer = async ({ source, bindings, limits, mostCharacters }: WorkerRequest): Promise<WorkerAnswer> => {
  try {
    const value: unknown = await compile(source, limits).evaluate(undefined, bindings)
    const json = JSON.stringify(value, (_, part: unknown) => (isFunction(part) ? undefined : part)) as
      | string
      | undefined
    return (json?.length ?? 0) > mostCharacters ? { reason: `the result has ${json?.length} characters` } : { json }
  } catch (error) {
    return { reason: reasonOf(error) }
  }
}

port.on('message', async (request: WorkerRequest) => port.postMessage(await answer(request)))
