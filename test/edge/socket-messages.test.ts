import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ServerFrame } from '#shared/contracts/realtime.ts'
import type { TestApi } from '#test/support/api.ts'
import { apiHosts } from '#test/support/api-hosts.ts'
import { eventually } from '#test/support/eventually.ts'
import { recordedSockets } from '#test/support/recorded-sockets.ts'

const sockets = recordedSockets()
let api: TestApi
const open = async (key = api.apiKey) => sockets.open(api.platform, { authorization: `Bearer ${key}` })

describe.each(apiHosts)('sockets on $host', ({ open: openApi }) => {
  beforeAll(async () => {
    api = await openApi({ realtime: sockets.realtime })
  })
  afterAll(() => api?.close())

  it('tell an agent that there is work for it', async () => {
    const name = `worker-${Date.now()}`
    const { body: agent } = await api.post('/agents', {
      name,
      capabilities: [{ name: `do.${name}` }],
    })
    const { body: joined } = await api.post('/instances', { agent: name, slots: 1 })
    const socket = await open(joined.token)
    expect(await socket.say({ type: 'subscribe', topic: 'work', id: agent.id })).toMatchObject([{ type: 'subscribed' }])
    await api.post('/tasks', { capability: `do.${name}`, input: {} })
    await eventually(() => expect(socket.of('work')).toEqual([{ type: 'work', agent: agent.id }]))
  })

  it('tell the messages of a topic, and again what a client missed of them', async () => {
    const topic = `builds-${Date.now()}`
    const [reader, sender] = [await open(), await open()]
    await reader.say({ type: 'subscribe', topic: `topic/${topic}` })
    const message = { to: { topic }, type: 'build.finished', data: { ok: true, log: 'x'.repeat(2000) } }
    const [sent, again] = [
      await sender.say({ type: 'send', message, key: 'once', ref: 's' }),
      await sender.say({ type: 'send', message, key: 'once' }),
    ]
    expect(sent).toEqual([{ type: 'sent', ref: 's', message: expect.objectContaining({ to: { topic } }) }])
    const idOf = ([frame]: ServerFrame[]) => (frame as unknown as { message: { id: string } }).message.id
    expect(idOf(again)).toBe(idOf(sent))
    const [told] = await eventually(() => {
      expect(reader.of('message')).toHaveLength(1)
      return reader.of('message')
    })
    expect(told).toMatchObject({ topic: `topic/${topic}`, message: { type: 'build.finished', data: message.data } })
    const { seq } = told as { seq: string }
    const late = await open()
    await eventually(async () => {
      const [, missed] = await late.say({ type: 'subscribe', topic: `topic/${topic}`, since: seq })
      expect(missed).toEqual(told)
    })
    expect(await late.say({ type: 'subscribe', topic: `topic/${topic}`, since: 'x' })).toMatchObject([
      {},
      { type: 'resync', topic: `topic/${topic}` },
    ])
  })

  it('tell large data of a message by reference', async () => {
    const topic = `large-${Date.now()}`
    const reader = await open()
    await reader.say({ type: 'subscribe', topic: `topic/${topic}` })
    await api.post('/messages', { to: { topic }, type: 'x', data: 'x'.repeat(40_000) })
    const [told] = await eventually(() => {
      expect(reader.of('message')).toHaveLength(1)
      return reader.of('message')
    })
    const { $ref } = (told as { dataRef: { $ref: string } }).dataRef
    expect(told).toMatchObject({ message: { data: null } })
    expect((await api.get(`/objects/${$ref}`)).body).toMatchObject({ state: 'STORED' })
  })

  it.each([
    [{ type: 'send' }, '#/message'],
    [{ type: 'send', message: { to: {}, type: 'x' } }, '#/message/to'],
    [{ type: 'subscribe', topic: 'topic/' }, '#/topic'],
    [{ type: 'subscribe', topic: 'topic/a b' }, '#/topic'],
    [{ type: 'subscribe', topic: 'topic/a', id: 'msg_1' }, '#/id'],
  ])('refuse the message frame %# and name the field', async (frame, pointer) => {
    expect(await (await open()).say(frame)).toMatchObject([{ type: 'error', code: 'INVALID', pointer }])
  })

  it('tell an agent that there is a letter in its mailbox, and nobody else’s', async () => {
    const [name, other] = [`reader-${Date.now()}`, `other-${Date.now()}`]
    const [{ body: agent }, { body: stranger }] = [
      await api.post('/agents', { name, capabilities: [{ name: `do.${name}` }] }),
      await api.post('/agents', { name: other, capabilities: [{ name: `do.${other}` }] }),
    ]
    const socket = await open((await api.post('/instances', { agent: name, slots: 1 })).body.token)
    expect(await socket.say({ type: 'subscribe', topic: 'messages', id: agent.id })).toMatchObject([
      { type: 'subscribed' },
    ])
    expect(await socket.say({ type: 'subscribe', topic: 'messages', id: stranger.id })).toMatchObject([
      { type: 'error', code: 'FORBIDDEN' },
    ])
    await api.post('/messages', { to: { agent: name }, type: 'greeting', data: 1 })
    await eventually(() => expect(socket.of('changed')).toMatchObject([{ topic: 'messages', id: agent.id }]))
  })
})
