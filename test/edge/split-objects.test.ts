import { afterAll, beforeAll, expect, it } from 'vitest'
import { anApi, type TestApi } from '#test/support/api.ts'
import { aRowWorker } from '#test/support/row-worker.ts'
import { until } from '#test/support/server-process.ts'

let api: TestApi
let worker: Awaited<ReturnType<typeof aRowWorker>>
beforeAll(async () => {
  api = await anApi()
  worker = await aRowWorker(api, 'cutter', ['cut', 'work'], (input) => ({ result: input }))
})
afterAll(async () => {
  await worker?.stop()
  await api?.close()
})

/** The end of a task whose shards are what an object holds. */
const dividedBy = async (object: string, content: Buffer) => {
  await api.platform.objects.put({ tenant: 'default', id: object }, content)
  const split = { capability: 'cut', input: { $ref: object } }
  const { id } = (await api.post('/tasks', { capability: 'work', shards: { split } })).body
  return until(
    async () => {
      const { body } = await api.get(`/tasks/${id}`)
      return ['SUCCEEDED', 'FAILED'].includes(body.status) && body
    },
    { what: `the end of ${id}`, seconds: 10 },
  )
}
const objectId = (n: number): string => `obj_${String(n).padStart(26, '0')}`

it('a task may put the list of shards into an object', async () => {
  expect(await dividedBy(objectId(1), Buffer.from('[1, 2]'))).toMatchObject({ status: 'SUCCEEDED', result: [1, 2] })
})

it.each([
  ['is no JSON', 2, Buffer.from('[1, 2'), /which makes its shards, answered object obj_0+2, which is not JSON/],
  ['is no list', 3, Buffer.from('{"a": 1}'), /answered an object; expected a list of at most 10000/],
  ['is too large to be read', 4, Buffer.alloc(16 * 1024 * 1024 + 1, 32), /of 16777217 bytes, more than 16777216/],
])('an object that %s fails the distributed task and says why', async (_, n, content, message) => {
  expect(await dividedBy(objectId(n), content)).toMatchObject({
    status: 'FAILED',
    failure: { code: 'AGENT_ERROR', message: expect.stringMatching(message) },
  })
})
