import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anApi, type TestApi } from '#test/support/api.ts'
import { eventually } from '#test/support/eventually.ts'

let api: TestApi
beforeAll(async () => {
  api = await anApi()
})
afterAll(() => api?.close())

/** What a caller is answered who sends such a key with a body of its own. */
const sent = async (path: string, key: string, body: object): Promise<number> =>
  (await api.post(path, body, { headers: { 'idempotency-key': key } })).status
const submitted = (key: string) => sent('/tasks', key, { capability: 'nobody', labels: { mine: 'yes' } })

describe('the key under which the platform submits', () => {
  it('a start of a schedule is none that a caller can send', async () => {
    const body = { rate: { everySeconds: 86_400 }, task: { capability: 'nobody' } }
    const { id } = (await api.post('/schedules', body)).body
    const { at, outcome } = (await api.post(`/schedules/${id}/run`)).body
    expect(outcome).toBe('STARTED')
    expect(await submitted(`${id}:${Date.parse(at)}`)).toBe(202)
  })

  it('what is done again is none that a caller can send', async () => {
    const { id } = (await api.post('/tasks', { capability: 'nobody' })).body
    await api.post(`/tasks/${id}/cancel`)
    const again = await api.post(`/tasks/${id}/retry`, {}, { headers: { 'idempotency-key': 'k' } })
    expect(again.body.id).toMatch(/^tsk_/)
    expect(await submitted(`retry:${id}:k`)).toBe(202)
  })

  it('a match of a subscription is none that a caller can send', async () => {
    const target = { capability: 'nobody' }
    const { id } = (await api.post('/subscriptions', { topic: 'keyed', target })).body
    await api.post('/messages', { kind: 'event', to: { topic: 'keyed' }, type: 'a.b', data: 1 })
    const [match] = await eventually(async () => {
      const { items } = (await api.get(`/subscriptions/${id}/matches`)).body
      expect(items).toMatchObject([{ state: 'DELIVERED' }])
      return items
    })
    expect(await submitted(`match:${match.id}`)).toBe(202)
  })

  it('the shards of a task is none that a caller can send', async () => {
    const task = (await api.post('/tasks', { capability: 'nobody', shards: { list: [1] } })).body
    const { id } = (await api.post('/objects', { contentType: 'application/jsonl' })).body
    await api.platform.objects.put({ tenant: 'default', id }, Buffer.from('1'))
    expect(await sent('/batches', task.id, { input: { $ref: id }, task: { capability: 'nobody' } })).toBe(202)
  })
})
