import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sweep } from '#functions/sweep/sweep.ts'
import type { TestApi } from '#test/support/api.ts'
import { apiHosts } from '#test/support/api-hosts.ts'
import { later } from '#test/support/later.ts'
import { mailOver } from '#test/support/mail.ts'
import { until } from '#test/support/server-process.ts'

let api: TestApi
const { anAgent, send, receive, dataOf, ack, lettersOf } = mailOver(() => api)

describe.each(apiHosts)('a message to an agent on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  it('waits in the mailbox of an agent that never ran, is received once at a time, and is gone when acknowledged', async () => {
    const agent = await anAgent('box.one')
    const sent = await send({ agent }, { data: { n: 1 }, subject: 'shop' })
    expect(sent).toMatchObject({
      status: 202,
      body: { kind: 'event', to: { agent }, type: 'note.left', state: 'SENT', data: { n: 1 } },
    })
    const [mail] = await receive(agent)
    expect(mail).toMatchObject({
      receives: 1,
      message: { specversion: '1.0', id: sent.body.id, type: 'note.left', subject: 'shop', data: { n: 1 } },
    })
    expect(await receive(agent)).toEqual([])
    expect((await api.get(`/mailboxes/${agent}`)).body).toMatchObject({ waiting: 0, inFlight: 1, dead: 0 })
    expect(await ack(agent, { ids: [sent.body.id] })).toEqual([sent.body.id])
    expect(await ack(agent, { ids: [sent.body.id] })).toEqual([sent.body.id])
    expect(await lettersOf(sent.body.id)).toMatchObject([{ inbox: agent, state: 'DONE', receives: 1 }])
    expect((await api.get(`/mailboxes/${agent}`)).body).toMatchObject({ waiting: 0, inFlight: 0, dead: 0 })
  })

  it('is the same message under its idempotency key, and a conflict with another body', async () => {
    const agent = await anAgent('box.key')
    const key = { 'idempotency-key': 'once' }
    const both = await Promise.all([send({ agent }, { data: 1 }, key), send({ agent }, { data: 1 }, key)])
    const again = await send({ agent }, { data: 1 }, key)
    expect(new Set([...both, again].map(({ body }) => body.id)).size).toBe(1)
    expect(await send({ agent }, { data: 2 }, key)).toMatchObject({
      status: 409,
      body: { code: 'IDEMPOTENCY_CONFLICT' },
    })
    expect(await receive(agent)).toHaveLength(1)
  })

  it('comes in order per conversation: the next one when the one before was acknowledged', async () => {
    const agent = await anAgent('box.order')
    for (const n of [1, 2, 3]) await send({ agent }, { data: `a${n}`, conversation: 'a' })
    await send({ agent }, { data: 'b1', conversation: 'b' })
    await send({ agent }, { data: 'free' })
    const first = await receive(agent)
    expect(dataOf(first).sort()).toEqual(['a1', 'b1', 'free'])
    expect(dataOf(await receive(agent))).toEqual([])
    await ack(agent, { ids: [first.find(({ message }) => message.data === 'a1')?.message.id] })
    const [second] = await receive(agent, '', { prefer: 'wait=5' })
    expect(second?.message.data).toBe('a2')
    expect(dataOf(await receive(agent))).toEqual([])
    await ack(agent, { ids: [second?.message.id] })
    expect(dataOf(await receive(agent, '', { prefer: 'wait=5' }))).toEqual(['a3'])
  })

  it('keeps the order where many are sent and acknowledged at once', async () => {
    const agent = await anAgent('box.many')
    const sent: string[] = []
    const sending = (async () => {
      for (let n = 0; n < 20; n++) {
        await Promise.all(
          ['x', 'y'].map((conversation) => send({ agent }, { data: `${conversation}${n}`, conversation })),
        )
        sent.push(`x${n}`, `y${n}`)
      }
    })()
    const got: string[] = []
    await until(
      async () => {
        const mail = await receive(agent, 'max=100')
        got.push(...mail.map(({ message }) => message.data as string))
        if (mail.length > 0) await ack(agent, { ids: mail.map(({ message }) => message.id) })
        return got.length >= 40
      },
      { seconds: 30 },
    )
    await sending
    for (const conversation of ['x', 'y'])
      expect(got.filter((data) => data.startsWith(conversation))).toEqual(
        sent.filter((data) => data.startsWith(conversation)),
      )
  })

  it('comes again when it was not acknowledged in time, more slowly each time, and is a dead letter in the end', async () => {
    const agent = await anAgent('box.again')
    const { id } = (await send({ agent }, { data: 1, conversation: 'c' })).body
    await send({ agent }, { data: 2, conversation: 'c' })
    const seen: number[] = []
    for (let n = 0; n < 2; n++) {
      const [mail] = await receive(agent, 'visibilitySeconds=1', { prefer: 'wait=10' })
      expect(mail?.message.id).toBe(id)
      seen.push(mail?.receives ?? 0)
    }
    expect(seen).toEqual([1, 2])
    await receive(agent, 'visibilitySeconds=1') // the pause after the second receive is longer than the time asked for
    expect((await api.get(`/mailboxes/${agent}`)).body).toMatchObject({ inFlight: 1, waiting: 1 })
  })

  it('is acknowledged up to a position, which leaves what was not handed out', async () => {
    const agent = await anAgent('box.upto')
    for (const n of [1, 2, 3, 4]) await send({ agent }, { data: n })
    const got = await receive(agent, 'max=2')
    expect(await ack(agent, { upTo: got.at(-1)?.position })).toHaveLength(2)
    expect(dataOf(await receive(agent))).toEqual([3, 4])
  })

  it('wakes whoever waits for it', async () => {
    const agent = await anAgent('box.wait')
    const waiting = receive(agent, '', { prefer: 'wait=10' })
    await send({ agent }, { data: 'here' })
    expect(dataOf(await waiting)).toEqual(['here'])
  })

  it('is a dead letter when its time is over, gives its turn to the next one, and waits again when redriven', async () => {
    const agent = await anAgent('box.ttl')
    const expiresAt = new Date(Date.now() + 60_000).toISOString()
    const { id } = (await send({ agent }, { data: 1, conversation: 'c', expiresAt })).body
    await send({ agent }, { data: 2, conversation: 'c' })
    await later(api.platform.clock, 61_000, async () => {
      await until(async () => {
        await sweep(api.platform)
        return (await lettersOf(id))[0]?.state === 'DEAD'
      })
      const dead = (await api.get(`/mailboxes/${agent}/dead-letters`)).body.items
      expect(dead).toMatchObject([{ reason: { code: 'EXPIRED' }, message: { id } }])
      expect(dataOf(await receive(agent))).toEqual([2])
      expect((await api.post(`/mailboxes/${agent}/redrive`, { ids: [id] })).body).toEqual({ redriven: 1 })
      const [mail] = await receive(agent, '', { prefer: 'wait=5' })
      expect(mail?.message).toMatchObject({ id, data: 1 })
      expect(mail?.message).not.toHaveProperty('expirytime')
    })
  })

  it('that was received in time may be acknowledged while it is kept from others, and is a dead letter after that', async () => {
    const agent = await anAgent('box.held')
    const expiresAt = new Date(Date.now() + 60_000).toISOString()
    const ids: string[] = []
    for (const data of [1, 2]) ids.push((await send({ agent }, { data, expiresAt })).body.id)
    const [kept = '', left = ''] = ids
    await receive(agent, 'visibilitySeconds=120')
    await later(api.platform.clock, 61_000, async () => {
      await sweep(api.platform)
      expect(await ack(agent, { ids: [kept] })).toEqual([kept])
      expect(await lettersOf(left)).toMatchObject([{ state: 'WAITING' }])
    })
    await later(api.platform.clock, 130_000, async () => {
      await until(async () => {
        await sweep(api.platform)
        return (await lettersOf(left))[0]?.state === 'DEAD'
      })
      expect(await lettersOf(left)).toMatchObject([{ reason: { code: 'EXPIRED' } }])
    })
  })

  it('with much data names the object that has it', async () => {
    const agent = await anAgent('box.large')
    const data = { text: 'x'.repeat(40_000) }
    const sent = await send({ agent }, { data })
    expect(sent.body.data).toBeUndefined()
    const [mail] = await receive(agent)
    expect(mail?.message.dataref).toBe(`/api/v2/objects/${sent.body.dataRef.$ref}`)
    const object = await api.platform.objects.get({ tenant: 'default', id: sent.body.dataRef.$ref })
    expect(await new Response(object?.body).json()).toEqual(data)
  })

  it('goes to an agent that offers a capability, and is refused where nobody does', async () => {
    const agent = await anAgent('box.able', { capabilities: [{ name: 'text.box' }] })
    expect((await send({ capability: 'text.box' }, { data: 1 })).status).toBe(202)
    expect(dataOf(await receive(agent))).toEqual([1])
    expect(await send({ capability: 'text.none' })).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } })
  })

  it('is looked at without being taken', async () => {
    const agent = await anAgent('box.peek')
    await send({ agent }, { data: 1 })
    expect(dataOf(await receive(agent, 'visibilitySeconds=0'))).toEqual([1])
    expect(dataOf(await receive(agent))).toEqual([1])
  })

  it('is seen and received by instances of its own agent alone', async () => {
    const [mine, other] = [await anAgent('box.mine'), await anAgent('box.other')]
    const { id } = (await send({ agent: mine }, { data: 1 })).body
    const { token } = (await api.post('/instances', { agent: mine })).body
    const stranger = (await api.post('/instances', { agent: other })).body.token
    expect((await api.get(`/mailboxes/${mine}/messages`, { key: stranger })).body.code).toBe('FORBIDDEN')
    expect((await api.get(`/messages/${id}`, { key: stranger })).body.code).toBe('NOT_FOUND')
    expect((await api.get(`/mailboxes/${mine}/messages`, { key: token })).body.items).toHaveLength(1)
    expect((await api.get(`/messages/${id}`, { key: token })).status).toBe(200)
    const claimed = { to: { agent: other }, type: 'a', source: '/agents/box.other' }
    const sent = await api.post('/messages', claimed, { key: token })
    expect(sent.body.source).toBe(`/agents/${mine}`)
  })

  it('in a queue is shown to be there by the name of the queue', async () => {
    const queue = `shown-${Date.now()}`
    await api.post('/queues', { name: queue })
    const { body } = await send({ queue })
    const shown = (await api.get(`/messages/${body.id}`)).body
    expect(shown.letters).toMatchObject([{ inbox: queue, state: 'WAITING' }])
    expect(JSON.stringify(shown)).not.toContain('que_')
  })

  it('is a task when it is a command', async () => {
    const agent = await anAgent('box.command', { capabilities: [{ name: 'text.command' }] })
    const sent = await api.post('/messages', { kind: 'command', to: { agent }, data: { n: 1 } })
    expect(sent).toMatchObject({ status: 202, body: { status: 'QUEUED', agent, capability: 'text.command' } })
    expect(sent.headers.get('location')).toBe(`/api/v2/tasks/${sent.body.id}`)
  })

  it.each([
    ['a command', { kind: 'command', to: { agent: 'x' } }],
    ['a response', { kind: 'response', correlationId: 'msg_x' }],
  ])('that is %s is for those alone who may do the same without a message', async (_, body) => {
    const key = await api.keyOf('default', 'agent')
    expect(await api.post('/messages', body, { key })).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } })
  })

  it.each([
    ['no recipient', { type: 'a' }, '#/to'],
    ['two recipients', { type: 'a', to: { agent: 'x', queue: 'y' } }, '#/to'],
    ['no type', { to: { agent: 'x' } }, '#/type'],
    ['a broadcast to one agent', { kind: 'broadcast', type: 'a', to: { agent: 'x' } }, '#/to'],
    ['a response to somebody', { kind: 'response', correlationId: 'm', to: { agent: 'x' } }, '#/to'],
    ['a response to nothing', { kind: 'response' }, '#/correlationId'],
    ['a command with a type', { kind: 'command', type: 'a', to: { agent: 'x' } }, '#/type'],
    ['a command to a topic', { kind: 'command', to: { topic: 'x' } }, '#/to'],
    ['a time that has passed', { type: 'a', to: { agent: 'x' }, expiresAt: '2020-01-01T00:00:00Z' }, '#/expiresAt'],
    ['a time too far ahead', { type: 'a', to: { agent: 'x' }, expiresAt: '2099-01-01T00:00:00Z' }, '#/expiresAt'],
  ])('refuses %s', async (_, body, pointer) => {
    const refused = await api.post('/messages', body)
    expect(refused).toMatchObject({ status: 422, body: { errors: [{ pointer }] } })
  })

  it('refuses an agent that is not there, one that is decommissioned, and both ways of acknowledging at once', async () => {
    expect((await send({ agent: 'box.none' })).status).toBe(404)
    const agent = await anAgent('box.gone')
    const { id } = (await api.get(`/agents/${agent}`)).body
    await api.request('DELETE', `/agents/${agent}`)
    expect((await send({ agent: id })).body.code).toBe('CONFLICT')
    expect((await api.post('/mailboxes/box.one/ack', {})).status).toBe(422)
  })
})
