import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TestApi } from '#test/support/api.ts'
import { apiHosts } from '#test/support/api-hosts.ts'
import { later } from '#test/support/later.ts'
import { mailOver } from '#test/support/mail.ts'

let api: TestApi
const { anAgent, send, receive } = mailOver(() => api)

describe.each(apiHosts)('a request on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  const ask = async (agent: string, more: object = {}, headers = {}) =>
    send({ agent }, { kind: 'request', type: 'sum.wanted', data: [1, 2], ...more }, headers)

  it('is answered with its response within the time that the caller waits', async () => {
    const agent = await anAgent('req.one')
    const asking = ask(agent, {}, { prefer: 'wait=10' })
    const [mail] = await receive(agent, '', { prefer: 'wait=10' })
    const reply = await api.post(`/messages/${mail?.message.id}/reply`, { data: 3 })
    expect(reply).toMatchObject({ status: 202, body: { kind: 'response', type: 'sum.wanted.response', data: 3 } })
    expect(await asking).toMatchObject({
      status: 200,
      body: { id: reply.body.id, correlationId: mail?.message.id, data: 3 },
    })
  })

  it('is answered 202 when nobody answers in time, and tells of the response later', async () => {
    const agent = await anAgent('req.later')
    const asked = await ask(agent, {}, { prefer: 'wait=1' })
    expect(asked).toMatchObject({ status: 202, body: { kind: 'request' } })
    await api.post('/messages', { kind: 'response', correlationId: asked.body.id, data: 3 })
    const { response } = (await api.get(`/messages/${asked.body.id}`)).body
    expect(response).toMatchObject({ late: false })
    expect((await api.get(`/messages/${response.id}`)).body.data).toBe(3)
  })

  it('takes one response: the same again is the same, another one is a conflict', async () => {
    const { id } = (await ask(await anAgent('req.once'))).body
    const first = await api.post(`/messages/${id}/reply`, { data: 3 })
    expect((await api.post(`/messages/${id}/reply`, { data: 3 })).body.id).toBe(first.body.id)
    expect((await api.post(`/messages/${id}/reply`, { data: 4 })).body.code).toBe('ALREADY_ANSWERED')
  })

  it('records a response that comes after the deadline as late, and brings it to the mailbox it was asked for in', async () => {
    const [agent, asker] = [await anAgent('req.late'), await anAgent('req.asker')]
    const expiresAt = new Date(Date.now() + 60_000).toISOString()
    const { id } = (await ask(agent, { expiresAt, replyTo: asker })).body
    await later(api.platform.clock, 61_000, async () => {
      await api.post(`/messages/${id}/reply`, { data: 3 })
      expect((await api.get(`/messages/${id}`)).body.response).toMatchObject({ late: true })
      const [mail] = await receive(asker)
      expect(mail?.message).toMatchObject({ kind: 'response', correlationid: id, data: 3 })
    })
  })

  it('that an agent sends has its response with it, and in no mailbox that was not asked for', async () => {
    const [agent, asker] = [await anAgent('req.asked'), await anAgent('req.asks')]
    const { token: key } = (await api.post('/instances', { agent: asker })).body
    for (const more of [{}, { replyTo: asker }]) {
      const request = { kind: 'request', to: { agent }, type: 'sum.wanted', ...more }
      const { id } = (await api.post('/messages', request, { key })).body
      const response = (await api.post(`/messages/${id}/reply`, { data: 3 })).body.id
      expect((await api.get(`/messages/${id}`, { key })).body.response.id).toBe(response)
      expect((await api.get(`/messages/${response}`, { key })).body.data).toBe(3)
      expect((await receive(asker)).map(({ message }) => message.id)).toEqual('replyTo' in more ? [response] : [])
    }
  })

  it('is answered by whom it was sent to, and nothing but a request is', async () => {
    const [agent, other] = [await anAgent('req.mine'), await anAgent('req.other')]
    const { id } = (await ask(agent)).body
    const stranger = (await api.post('/instances', { agent: other })).body.token
    expect((await api.post(`/messages/${id}/reply`, { data: 1 }, { key: stranger })).body.code).toBe('NOT_FOUND')
    const { token } = (await api.post('/instances', { agent })).body
    expect((await api.post(`/messages/${id}/reply`, { data: 1 }, { key: token })).body.source).toBe(`/agents/${agent}`)
    const event = (await send({ agent })).body.id
    expect((await api.post(`/messages/${event}/reply`, { data: 1 })).body.code).toBe('CONFLICT')
  })
})
