import { setTimeout as sleep } from 'node:timers/promises'
import type { LeaseAnswer } from '#shared/contracts/worker.ts'
import type { TaskSource } from './task-source.ts'

const answerSeconds = 30

/** Over HTTPS alone: what any agent in any language does. */
export const createHttpTaskSource = ({ url, apiKey }: { url: string; apiKey?: string }): TaskSource => {
  const send: TaskSource['send'] = async ({ method, path, headers, body, token, signal }) => {
    const bearer = token ?? apiKey
    const timeout = AbortSignal.timeout(answerSeconds * 1000)
    const response = await fetch(`${url}/api/v2${path}`, {
      method,
      headers: {
        ...headers,
        ...(bearer && { authorization: `Bearer ${bearer}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
  }
  return {
    send,
    async lease({ joined, max, waitSeconds, signal }) {
      const path = `/instances/${joined.instanceId}/lease?wait=${waitSeconds}`
      const { status, body } = await send({ method: 'POST', path, body: { max }, token: joined.token, signal })
      if (status !== 200) throw Object.assign(new Error(`the lease was refused with ${status}`), { status })
      const { tasks, retryAfterSeconds } = body as LeaseAnswer
      if (tasks.length === 0 && retryAfterSeconds) await sleep(retryAfterSeconds * 1000, undefined, { signal })
      return tasks
    },
    over: async () => undefined,
  }
}
