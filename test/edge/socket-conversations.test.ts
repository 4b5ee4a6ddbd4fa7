import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answerEvent } from '#functions/websocket/answer-event.ts'
import type { ServerFrame } from '#shared/contracts/realtime.ts'
import { findConnection } from '#shared/domain/realtime/connection-store.ts'
import type { TestApi } from '#test/support/api.ts'
import { apiHosts } from '#test/support/api-hosts.ts'
import { eventually } from '#test/support/eventually.ts'
import { fillWatches, recordedSockets } from '#test/support/recorded-sockets.ts'

const sockets = recordedSockets()
let api: TestApi
const open = async (key = api.apiKey) => sockets.open(api.platform, { authorization: `Bearer ${key}` })

let count = 0
/** An agent, and the socket of one of its instances. */
const anAgent = async () => {
  const name = `talker-${Date.now()}-${count++}`
  const { body: agent } = await api.post('/agents', { name, capabilities: [{ name: `do.${name}` }] })
  const { body: joined } = await api.post('/instances', { agent: name, slots: 1 })
  return { name, id: agent.id as string, socket: await open(joined.token) }
}
const sentOf = ([frame]: ServerFrame[]) => (frame as unknown as { message: { id: string } }).message.id

describe.each(apiHosts)('sockets of agents that talk on $host', ({ open: openApi }) => {
  beforeAll(async () => {
    api = await openApi({ realtime: sockets.realtime })
  })
  afterAll(() => api?.close())

  it('hand messages of a mailbox out, which are acknowledged over them and never come again', async () => {
    const { name, socket } = await anAgent()
    for (const n of [1, 2, 3]) await api.post('/messages', { to: { agent: name }, type: 'page', data: n })
    const first = await eventually(async () => {
      const frames = await socket.say({ type: 'receive', agent: name, max: 2, ref: 'r' })
      expect(frames).toHaveLength(3)
      return frames
    })
    expect(first[0]).toEqual({ type: 'received', agent: name, count: 2, ref: 'r' })
    const mails = first.slice(1) as Extract<ServerFrame, { type: 'mail' }>[]
    expect(mails.map(({ message }) => message.data)).toEqual([1, 2])
    const ids = mails.map(({ message }) => message.id)
    expect(await socket.say({ type: 'acknowledge', agent: name, ids, ref: 'a' })).toEqual([
      { type: 'acknowledged', agent: name, ids, ref: 'a' },
    ])
    const [, last] = await socket.say({ type: 'receive', agent: name })
    const { position, message } = last as Extract<ServerFrame, { type: 'mail' }>
    expect(message.data).toBe(3)
    expect(await socket.say({ type: 'acknowledge', agent: name, upTo: position })).toMatchObject([
      { ids: [message.id] },
    ])
    expect((await api.get(`/mailboxes/${name}`)).body).toMatchObject({ waiting: 0, inFlight: 0 })
  })

  it('open no mailbox of another agent', async () => {
    const [one, other] = [await anAgent(), await anAgent()]
    for (const frame of [
      { type: 'receive', agent: other.name },
      { type: 'acknowledge', agent: other.name, ids: ['msg_00000000000000000000000000'] },
    ])
      expect(await one.socket.say(frame)).toMatchObject([{ type: 'error', code: 'FORBIDDEN' }])
  })

  it('tell the response to a request once, under the name that the client gave it', async () => {
    const { name, socket } = await anAgent()
    const caller = await open()
    const request = {
      type: 'request',
      message: { to: { agent: name }, type: 'count', data: 'a b' },
      key: 'k',
      ref: 'q',
    }
    const sent = await caller.say(request)
    expect(sent).toMatchObject([{ type: 'sent', ref: 'q', message: { kind: 'request' } }])
    const id = sentOf(sent)
    const reply = { kind: 'response', correlationId: id, type: 'counted', data: 2 }
    expect(await socket.say({ type: 'send', message: reply })).toMatchObject([{ type: 'sent' }])
    const [told] = await eventually(() => {
      expect(caller.of('response')).toHaveLength(1)
      return caller.of('response')
    })
    expect(told).toMatchObject({ request: id, ref: 'q', message: { type: 'counted', data: 2, correlationid: id } })
    await eventually(async () => expect((await findConnection(api.platform, caller.id))?.watches).toEqual([]))

    const back = await open()
    const again = await back.say(request)
    expect(again.map(({ type }) => type)).toEqual(['sent', 'response'])
    expect(again[1]).toEqual(told)
  })

  it('tell of each message that is sent, and what becomes of one, to administrators alone', async () => {
    const { name, socket } = await anAgent()
    const watcher = await open()
    expect(await socket.say({ type: 'subscribe', topic: 'sent' })).toMatchObject([{ code: 'FORBIDDEN' }])
    await watcher.say({ type: 'subscribe', topic: 'sent' })
    const { id } = (await api.post('/messages', { kind: 'request', to: { agent: name }, type: 'x' })).body
    await eventually(() => expect(watcher.of('changed')).toMatchObject([{ topic: 'sent', id }]))
    const one = await open()
    expect(await one.say({ type: 'subscribe', topic: 'sent', id })).toMatchObject([{ type: 'subscribed', id }])
    await api.post(`/messages/${id}/reply`, { data: 1 })
    await eventually(() => expect(one.of('changed')).toMatchObject([{ topic: 'sent', id }]))
  })

  it('tell that a request was not answered by its deadline', async () => {
    const { name } = await anAgent()
    const caller = await open()
    const expiresAt = new Date(Date.now() + 1500).toISOString()
    const sent = await caller.say({
      type: 'request',
      message: { to: { agent: name }, type: 'late', expiresAt },
      ref: 'q',
    })
    await eventually(
      () => expect(caller.of('unanswered')).toEqual([{ type: 'unanswered', request: sentOf(sent), ref: 'q' }]),
      15_000,
    )
  })

  it('tell a response to whoever asked and to nobody else, large data by reference', async () => {
    const { name, socket } = await anAgent()
    const [caller, stranger] = [await open(), await open()]
    const id = sentOf(await caller.say({ type: 'request', message: { to: { agent: name }, type: 'x' } }))
    await stranger.say({ type: 'request', message: { to: { agent: name }, type: 'y' } })
    await socket.say({ type: 'send', message: { kind: 'response', correlationId: id, data: 'x'.repeat(40_000) } })
    await eventually(() => expect(caller.of('response')).toHaveLength(1))
    expect(caller.of('response')[0]).toMatchObject({ message: { data: null }, dataRef: { $ref: expect.any(String) } })
    expect(stranger.of('response')).toEqual([])
  })

  it.each([
    [{ type: 'request', message: { type: 'x' } }, '#/message/to'],
    [{ type: 'request', message: { kind: 'event', to: { agent: 'a' }, type: 'x' } }, '#/message/kind'],
    [{ type: 'request', message: { to: { topic: 'a' }, type: 'x' } }, '#/message/to'],
    [{ type: 'send', message: { to: { topic: 'a' }, type: 'x' }, key: 'a b' }, '#/key'],
    [{ type: 'receive' }, '#/agent'],
    [{ type: 'receive', agent: 'a', max: 101 }, '#/max'],
    [{ type: 'acknowledge', agent: 'a' }, '#/ids'],
    [{ type: 'acknowledge', agent: 'a', ids: ['x'] }, '#/ids/0'],
    [{ type: 'acknowledge', agent: 'a', ids: ['msg_00000000000000000000000000'], upTo: 'x' }, '#/upTo'],
  ])('refuse the frame %# and name the field', async (frame, pointer) => {
    expect(await (await open()).say(frame)).toMatchObject([{ type: 'error', code: 'INVALID', pointer }])
  })

  it('send no request whose response the connection has no room to wait for', async () => {
    const { name } = await anAgent()
    const caller = await open()
    await fillWatches(api.platform, caller.id, 99)
    const request = { type: 'request', message: { to: { agent: name }, type: 'x' } }
    expect(await caller.say(request)).toMatchObject([{ type: 'sent' }])
    expect(await caller.say(request)).toMatchObject([{ type: 'error', code: 'CONFLICT' }])
    expect((await api.get(`/mailboxes/${name}`)).body).toMatchObject({ waiting: 1 })
  })

  it('are a target of a subscription: told what it matched, and again what a client missed', async () => {
    const topic = `orders-${Date.now()}`
    const { body: subscription } = await api.post('/subscriptions', {
      topic,
      pattern: { data: { amount: [{ numeric: ['>=', 100] }] } },
      target: { socket: true },
    })
    const watched = `subscription/${subscription.id}`
    const reader = await open()
    expect(await reader.say({ type: 'subscribe', topic: watched })).toMatchObject([
      { type: 'subscribed', topic: watched },
    ])
    for (const amount of [20, 500]) await api.post('/messages', { to: { topic }, type: 'paid', data: { amount } })
    const [told] = await eventually(() => {
      expect(reader.of('message')).toHaveLength(1)
      return reader.of('message')
    })
    expect(told).toMatchObject({ topic: watched, message: { type: 'paid', data: { amount: 500 } } })
    const { items } = (await api.get(`/subscriptions/${subscription.id}/matches`)).body
    expect(items).toMatchObject([{ state: 'DELIVERED', tries: 1 }])
    const late = await open()
    const [, missed] = await late.say({ type: 'subscribe', topic: watched, since: (told as { seq: string }).seq })
    expect(missed).toEqual(told)
  })

  it('watch no subscription that is not there, is another tenant’s, or may not be read', async () => {
    const other = await api.keyOf('acme')
    const { body: theirs } = await api.post('/subscriptions', { topic: 'a', target: { socket: true } }, { key: other })
    const socket = await open()
    for (const id of [theirs.id, 'sub_00000000000000000000000000'])
      expect(await socket.say({ type: 'subscribe', topic: `subscription/${id}` })).toMatchObject([
        { type: 'error', code: 'NOT_FOUND', pointer: '#/topic' },
      ])
    expect(await socket.say({ type: 'subscribe', topic: 'subscription/x' })).toMatchObject([
      { type: 'error', code: 'INVALID', pointer: '#/topic' },
    ])
    const agentKey = await api.keyOf('acme', 'agent')
    const denied = await (await open(agentKey)).say({ type: 'subscribe', topic: `subscription/${theirs.id}` })
    expect(denied).toMatchObject([{ type: 'error', code: 'FORBIDDEN' }])
  })

  it('show who says that they are there, to their tenant alone, until they are gone', async () => {
    const { name, socket } = await anAgent()
    const [before, stranger] = [await open(), await open(await api.keyOf('acme'))]
    for (const one of [before, stranger]) await one.say({ type: 'subscribe', topic: 'presence' })
    const who = `/agents/${name}`
    const shown = { type: 'presence', connection: socket.id, who, status: 'reviewing', since: expect.any(String) }
    expect(await socket.say({ type: 'presence', status: 'reviewing', ref: 'p' })).toEqual([{ ...shown, ref: 'p' }])
    expect(before.of('presence')).toEqual([shown])
    const { type: _, ...listed } = shown
    expect((await api.get('/presence')).body.items).toEqual([listed])
    const after = await open()
    expect((await after.say({ type: 'subscribe', topic: 'presence' })).slice(1)).toEqual([shown])

    await answerEvent(api.platform, { requestContext: { eventType: 'DISCONNECT', connectionId: socket.id } })
    for (const one of [before, after]) expect(one.of('presence').at(-1)).toEqual({ ...shown, status: null })
    expect((await api.get('/presence')).body.items).toEqual([])
    expect(stranger.of('presence')).toEqual([])
  })

  it('show nobody who says no more what they do', async () => {
    const [socket, watcher] = [await open(), await open()]
    await watcher.say({ type: 'subscribe', topic: 'presence' })
    await socket.say({ type: 'presence', status: 'here' })
    expect(await socket.say({ type: 'presence', status: null })).toMatchObject([{ type: 'presence', status: null }])
    expect(watcher.of('presence').map((frame) => 'status' in frame && frame.status)).toEqual(['here', null])
    expect((await api.get('/presence')).body.items).toEqual([])
    expect(await socket.say({ type: 'presence', status: '' })).toMatchObject([{ code: 'INVALID', pointer: '#/status' }])
  })
})
