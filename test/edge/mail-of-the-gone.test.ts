import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TestApi } from '#test/support/api.ts'
import { apiHosts } from '#test/support/api-hosts.ts'
import { mailOver } from '#test/support/mail.ts'
import { until } from '#test/support/server-process.ts'

let api: TestApi
const { anAgent, send, receive, ack, lettersOf, dataOf } = mailOver(() => api)

describe.each(apiHosts)('the mail of a decommissioned agent on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  const idOf = async (agent: string): Promise<string> => (await api.get(`/agents/${agent}`)).body.id
  const decommission = async (agent: string): Promise<string> => {
    const id = await idOf(agent)
    await api.request('DELETE', `/agents/${agent}`)
    return id
  }
  const stateOf = (id: string, state: string) =>
    until(async () => (await lettersOf(id))[0]?.state === state, { seconds: 10 })
  const deadOf = async (mailbox: string) => (await api.get(`/mailboxes/${mailbox}/dead-letters`)).body.items

  it('is dead letters that say so, found by its name and by its id', async () => {
    const agent = await anAgent('gone.one')
    for (const data of [1, 2]) await send({ agent }, { data, conversation: 'c' })
    const { id: last } = (await send({ agent }, { data: 3 })).body
    const id = await decommission(agent)
    await stateOf(last, 'DEAD')
    for (const mailbox of [agent, id]) {
      await until(async () => (await deadOf(mailbox)).length === 3, { seconds: 10 })
      expect((await deadOf(mailbox))[0].reason).toEqual({
        code: 'NO_CAPABLE_AGENT',
        message: `agent ${agent} (${id}) is decommissioned`,
      })
    }
    expect((await api.get(`/mailboxes/${agent}`)).body).toMatchObject({ agent, waiting: 0, dead: 3 })
  })

  it('waits again with the next agent of its name, where there is one', async () => {
    const agent = await anAgent('gone.again')
    const { id: message } = (await send({ agent }, { data: 'x'.repeat(1000) })).body
    const id = await decommission(agent)
    await stateOf(message, 'DEAD')
    const refused = await api.post(`/mailboxes/${agent}/redrive`, { ids: [message] })
    expect(refused).toMatchObject({ status: 409, body: { code: 'CONFLICT' } })
    expect(refused.body.detail).toContain(`register one of that name, then redrive ${id}`)
    await anAgent(agent)
    expect(await receive(agent)).toEqual([])
    for (const redriven of [1, 0])
      expect((await api.post(`/mailboxes/${id}/redrive`, { ids: [message] })).body).toEqual({ redriven })
    const mail = await receive(agent)
    expect(dataOf(mail)).toEqual(['x'.repeat(1000)])
    expect(await ack(agent, { ids: [message] })).toEqual([message])
    expect(await deadOf(id)).toEqual([])
  })

  it('is redriven without ids as well', async () => {
    const agent = await anAgent('gone.all')
    for (const data of [1, 2]) await send({ agent }, { data })
    const id = await decommission(agent)
    await until(async () => (await deadOf(id)).length === 2, { seconds: 10 })
    await anAgent(agent)
    expect((await api.post(`/mailboxes/${id}/redrive`)).body).toEqual({ redriven: 2 })
    expect(dataOf(await receive(agent)).sort()).toEqual([1, 2])
  })

  it('has requests, which are answered at once with why nobody answers them', async () => {
    const agent = await anAgent('gone.asked')
    const asking = send({ agent }, { kind: 'request', type: 'sum.wanted' }, { prefer: 'wait=20' })
    await until(async () => (await api.get(`/mailboxes/${agent}`)).body.waiting === 1, { seconds: 10 })
    const id = await decommission(agent)
    const data = { code: 'NO_CAPABLE_AGENT', message: `agent ${agent} (${id}) is decommissioned` }
    expect(await asking).toMatchObject({ status: 200, body: { type: 'sum.wanted.failed', data } })
  })

  it('is not that of another agent with a handler of the type: its tasks fail at once', async () => {
    const messages = [{ type: 'x.ping' }]
    const [agent] = [await anAgent('gone.handler', { messages }), await anAgent('gone.other', { messages })]
    const asking = send({ agent }, { kind: 'request', type: 'x.ping', conversation: 'c' }, { prefer: 'wait=20' })
    const { id: behind } = (await send({ agent }, { type: 'x.ping', conversation: 'c' })).body
    await until(async () => (await api.get(`/tasks?agent=${agent}`)).body.items.length === 1, { seconds: 10 })
    const [task] = (await api.get(`/tasks?agent=${agent}`)).body.items
    await decommission(agent)
    expect(await asking).toMatchObject({ body: { type: 'x.ping.failed', data: { code: 'NO_CAPABLE_AGENT' } } })
    expect((await api.get(`/tasks/${task.id}`)).body).toMatchObject({
      status: 'FAILED',
      failure: { code: 'NO_CAPABLE_AGENT', message: `agent ${agent} is decommissioned` },
    })
    await stateOf(behind, 'DEAD')
  })

  it('may still be acknowledged, and answered, by whoever has it', async () => {
    const agent = await anAgent('gone.busy')
    const { token } = (await api.post('/instances', { agent })).body
    const { id: message } = (await send({ agent }, { kind: 'request' })).body
    await receive(agent, '', { authorization: `Bearer ${token}` })
    const { id: second } = (await send({ agent })).body
    await decommission(agent)
    await stateOf(second, 'DEAD')
    expect((await api.post(`/messages/${message}/reply`, { data: 3 }, { key: token })).status).toBe(202)
    expect(await ack(agent, { ids: [message] })).toEqual([message])
    await stateOf(message, 'DONE')
  })
})
