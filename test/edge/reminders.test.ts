import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { dueQueue } from '#shared/domain/dispatch/due.ts'
import { anApi, type TestApi } from '#test/support/api.ts'
import { until } from '#test/support/server-process.ts'

let api: TestApi

describe('reminders of the embedded server', () => {
  beforeAll(async () => {
    api = await anApi()
  })
  afterAll(() => api?.close())

  it('are attended to while the pass of a batch takes long', async () => {
    const { id } = (await api.post('/objects', { contentType: 'application/jsonl' })).body
    await api.platform.objects.put({ tenant: 'default', id }, Buffer.from('1'))
    const held = Promise.withResolvers<void>()
    const reading = Promise.withResolvers<void>()
    const get = api.platform.objects.get
    vi.spyOn(api.platform.objects, 'get').mockImplementation(async (key, part) => {
      if (key.id === id) {
        reading.resolve()
        await held.promise
      }
      return get(key, part)
    })
    await api.post('/batches', { input: { $ref: id }, task: { capability: 'slow.pass' } })
    await reading.promise
    await api.platform.queues.send(dueQueue, [{ body: 'default tsk_00000000000000000000000000' }])
    const depth = () => api.platform.queues.depth(dueQueue)
    try {
      await until(async () => (await depth()).waiting === 0, { what: 'the other reminder', seconds: 10 })
      expect((await depth()).inFlight).toBeLessThanOrEqual(1)
    } finally {
      held.resolve()
    }
  })
})
