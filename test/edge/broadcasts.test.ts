import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TestApi } from '#test/support/api.ts'
import { apiHosts } from '#test/support/api-hosts.ts'
import { mailOver } from '#test/support/mail.ts'
import { until } from '#test/support/server-process.ts'

let api: TestApi
const { anAgent, receive, dataOf, ack } = mailOver(() => api)

describe.each(apiHosts)('a broadcast on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  it('comes to every agent that its filter means, and says what became of it in each mailbox', async () => {
    const labels = { team: 'red' }
    for (const n of [1, 2, 3]) await anAgent(`cast.${n}`, { labels, type: n === 3 ? 'other' : 'cast' })
    const filter = { types: ['cast'], labels }
    const { id } = (await api.post('/messages', { kind: 'broadcast', type: 'all.stop', to: { filter }, data: 1 })).body
    await until(async () => (await api.get(`/messages/${id}`)).body.state === 'SENT', { seconds: 10 })
    const message = (await api.get(`/messages/${id}`)).body
    expect(message.recipients).toBe(2)
    expect(message.letters.map(({ inbox }: { inbox: string }) => inbox).sort()).toEqual(['cast.1', 'cast.2'])
    expect(dataOf(await receive('cast.1'))).toEqual([1])
    await ack('cast.1', { ids: [id] })
    const report = (await api.get(`/messages/${id}/letters`)).body.items
    expect(report.map(({ state }: { state: string }) => state).sort()).toEqual(['DONE', 'WAITING'])
    expect(await receive('cast.3')).toEqual([])
    expect((await api.get('/messages?kind=broadcast')).body.items).toMatchObject([{ id }])
  })

  it.each([{}, { filter: {} }])('says where its filter stands when it is not there: %j', async (more) => {
    const { status, body } = await api.post('/messages', { kind: 'broadcast', type: 'all.stop', ...more })
    expect(status).toBe(422)
    expect(body.errors).toContainEqual({
      pointer: '#/to',
      code: 'CUSTOM',
      message: expect.stringContaining('a broadcast goes to {"filter": {"types"?, "labels"?, "capability"?}}'),
    })
  })
})
