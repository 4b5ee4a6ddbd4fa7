import { anApi, type TestApi } from './api.ts'

export type RowTask = { taskId: string; fence: string; capability: string; input: never }
type Fails = { code: string; message: string }
/** Answers a result, or why there is none, or nothing: then it goes on for ever. */
export type Work = (input: never, task: RowTask) => { result: unknown } | { fails: Fails } | undefined

/** An instance of an agent that does what it is given at once, until it is stopped. */
export const aRowWorker = async (api: TestApi, name: string, capabilities: string[], work: Work) => {
  await api.post('/agents', { name, capabilities: capabilities.map((one) => ({ name: one })) })
  const { instanceId, token } = (await api.post('/instances', { agent: name, slots: 100 })).body
  const ran: RowTask[] = []
  let stopped = false
  const runOne = async (task: RowTask): Promise<void> => {
    ran.push(task)
    const { taskId, fence, input } = task
    const done = work(input, task)
    if (done === undefined) return
    const [verb, body] =
      'result' in done ? ['complete', { result: done.result }] : ['fail', { ...done.fails, retryable: false }]
    await api.post(`/tasks/${taskId}/${verb}`, { fence, ...body }, { key: token })
  }
  const loop = (async () => {
    for (let pause = 5; !stopped; ) {
      const { body } = await api.post(`/instances/${instanceId}/lease?wait=0`, { max: 100 }, { key: token })
      await Promise.all(body.tasks.map(runOne))
      pause = body.tasks.length === 0 ? Math.min(pause * 2, 40) : 5
      if (body.tasks.length === 0) await api.platform.clock.sleep(pause)
    }
  })()
  return {
    ran,
    async stop() {
      stopped = true
      await loop
    },
  }
}

/** An API with a worker that does `work`, and fails with `BROKEN` where the input asks it to with `fail`. */
export const anApiAtWork = async () => {
  const api = await anApi()
  const worker = await aRowWorker(api, 'hand', ['work'], (input) =>
    (input as { fail?: true } | null)?.fail ? { fails: { code: 'BROKEN', message: 'it is so' } } : { result: 'done' },
  )
  const close = async (): Promise<void> => {
    await worker.stop()
    await api.close()
  }
  return { api, close }
}
