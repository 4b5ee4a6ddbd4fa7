import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TestApi } from '#test/support/api.ts'
import { apiHosts } from '#test/support/api-hosts.ts'
import { eventually } from '#test/support/eventually.ts'
import { later } from '#test/support/later.ts'

let api: TestApi

type Received = { receipt: string; receives: number; message: { id: string; type: string; data: unknown } }

const aQueue = async (more: object = {}): Promise<string> => {
  const name = `queue-${randomUUID()}`
  expect(await api.post('/queues', { name, ...more })).toMatchObject({ status: 201 })
  return name
}
const send = (queue: string, data: unknown, more: object = {}, key?: string) =>
  api.post(
    '/messages',
    { to: { queue }, type: 'work', data, ...more },
    { headers: key === undefined ? {} : { 'idempotency-key': key } },
  )
const receive = async (queue: string, body: object = {}, wait?: number): Promise<Received[]> => {
  const headers: Record<string, string> = wait === undefined ? {} : { prefer: `wait=${wait}` }
  return (await api.post(`/queues/${queue}/receive`, body, { headers })).body.messages
}
const ack = async (queue: string, ...receipts: string[]) =>
  (await api.post(`/queues/${queue}/ack`, { receipts })).body.items
const depthOf = async (queue: string) => (await api.get(`/queues/${queue}`)).body.depth
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe.each(apiHosts)('queues on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  it('give each message to one of many who receive at once, as it was sent', async () => {
    const queue = await aQueue()
    const sent = await Promise.all(Array.from({ length: 20 }, (_, n) => send(queue, { n })))
    expect(sent.every(({ status }) => status === 202)).toBe(true)
    await eventually(async () => expect(await depthOf(queue)).toEqual({ waiting: 20, inFlight: 0, dead: 0 }))
    const got = (await Promise.all(Array.from({ length: 8 }, () => receive(queue, { max: 5 })))).flat()
    const more = await receive(queue, { max: 100 })
    const all = [...got, ...more].map(({ message }) => (message.data as { n: number }).n)
    expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n))
    expect(await depthOf(queue)).toEqual({ waiting: 0, inFlight: 20, dead: 0 })
    const receipts = [...got, ...more].map(({ receipt }) => receipt)
    expect((await ack(queue, ...receipts)).every(({ ok }: { ok: boolean }) => ok)).toBe(true)
    expect(await depthOf(queue)).toEqual({ waiting: 0, inFlight: 0, dead: 0 })
  })

  it('take a message once under its key, also when it was acknowledged since', async () => {
    const queue = await aQueue()
    const first = await send(queue, { big: 'x'.repeat(40_000) }, { subject: 'shop' }, `one-${queue}`)
    expect(await send(queue, { big: 'x'.repeat(40_000) }, { subject: 'shop' }, `one-${queue}`)).toMatchObject({
      status: 202,
      body: { id: first.body.id },
    })
    const [one] = await receive(queue, { max: 5 })
    expect(one?.message).toMatchObject({
      specversion: '1.0',
      id: first.body.id,
      type: 'work',
      subject: 'shop',
      data: { big: 'x'.repeat(40_000) },
    })
    await ack(queue, one?.receipt ?? '')
    await send(queue, { big: 'x'.repeat(40_000) }, { subject: 'shop' }, `one-${queue}`)
    expect(await receive(queue)).toEqual([])
    expect(await send(queue, { other: 1 }, {}, `one-${queue}`)).toMatchObject({
      status: 409,
      body: { code: 'IDEMPOTENCY_CONFLICT' },
    })
  })

  it('wait for the first message', async () => {
    const queue = await aQueue()
    const waiting = receive(queue, {}, 10)
    await sleep(50)
    await send(queue, 1)
    expect(await waiting).toMatchObject([{ receives: 1, message: { data: 1 } }])
    expect(await receive(queue, {}, 0)).toEqual([])
  })

  it.concurrent('hand a message out again when its time is over, and tell the late receiver', async () => {
    const queue = await aQueue()
    await send(queue, 1)
    const [first] = await receive(queue, { visibilitySeconds: 3 })
    expect(await receive(queue)).toEqual([])
    const [second] = await receive(queue, {}, 20)
    expect(second).toMatchObject({ receives: 2, message: { id: first?.message.id } })
    const stale = { ok: false, code: 'STALE_RECEIPT' }
    expect(await ack(queue, first?.receipt ?? '', 'nonsense', second?.receipt ?? '')).toMatchObject([
      stale,
      stale,
      { ok: true },
    ])
    expect(await ack(queue, second?.receipt ?? '')).toMatchObject([{ ok: true }])
  })

  it.concurrent('keep a message from others for longer, or give it back at once', async () => {
    const queue = await aQueue()
    await send(queue, 1)
    const [one] = await receive(queue, { visibilitySeconds: 3 })
    const extend = (visibilitySeconds: number) =>
      api.post(`/queues/${queue}/extend`, { receipts: [one?.receipt], visibilitySeconds })
    expect((await extend(60)).body.items).toMatchObject([{ ok: true }])
    await sleep(3100)
    expect(await receive(queue)).toEqual([])
    await extend(0)
    expect(await receive(queue, {}, 5)).toMatchObject([{ receives: 2 }])
  })

  it('set aside what nobody acknowledges, or is over, with the reason, and take it back when asked to', async () => {
    const queue = await aQueue({ maxReceives: 2 })
    await send(queue, { poison: true })
    for (const _ of [1, 2]) {
      const [one] = await receive(queue, {}, 5)
      await api.post(`/queues/${queue}/extend`, { receipts: [one?.receipt], visibilitySeconds: 0 })
    }
    await send(queue, 'late', { expiresAt: new Date(Date.now() + 60_000).toISOString() })
    await later(api.platform.clock, 61_000, async () => {
      expect(await receive(queue, { max: 5 })).toEqual([])
      const dead = await eventually(async () => {
        const { items } = (await api.get(`/queues/${queue}/dead-letters`)).body
        expect(items).toHaveLength(2)
        return items
      })
      const codes = dead.map(({ reason }: { reason: { code: string } }) => reason.code)
      expect(codes.sort()).toEqual(['EXPIRED', 'RECEIVES'])
      expect(await api.post(`/queues/${queue}/redrive`)).toMatchObject({ status: 202, body: { redriven: 2 } })
      const again = await eventually(async () => {
        const found = await receive(queue, { max: 5 })
        expect(found.length).toBeGreaterThan(0)
        return [...found, ...(await receive(queue, { max: 5 }))]
      })
      expect(again.map(({ receives }) => receives)).toEqual([1, 1])
    })
  })

  it('hand out no more data at once than an answer may have', async () => {
    const queue = await aQueue()
    await Promise.all(Array.from({ length: 20 }, (_, n) => send(queue, { n, big: 'x'.repeat(230_000) })))
    const first = await receive(queue, { max: 100 }, 10)
    expect(first).toHaveLength(18)
    const rest = await receive(queue, { max: 100 }, 10)
    const numbers = [...first, ...rest].map(({ message }) => (message.data as { n: number }).n)
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n))
  })

  it('get what a subscription matches', async () => {
    const queue = await aQueue()
    const topic = queue
    await api.post('/subscriptions', { topic, pattern: { type: ['work'] }, target: { queue } })
    const { id } = (await api.post('/messages', { to: { topic }, type: 'work', data: 5 })).body
    await api.post('/messages', { to: { topic }, type: 'rest', data: 6 })
    expect(await receive(queue, { max: 5 }, 10)).toMatchObject([{ message: { id, topic, hops: topic, data: 5 } }])
  })

  it('are made once by one name, and gone when deleted', async () => {
    const queue = await aQueue({ maxReceives: 3, description: 'ours' })
    const same = await api.post('/queues', { name: queue, maxReceives: 3, description: 'ours' })
    expect(same).toMatchObject({ status: 201, body: { name: queue } })
    expect(await api.post('/queues', { name: queue })).toMatchObject({ status: 409, body: { code: 'NAME_TAKEN' } })
    expect((await api.get('/queues')).body.items.map(({ name }: { name: string }) => name)).toContain(queue)
    const other = await api.keyOf('other')
    expect(await api.get(`/queues/${queue}`, { key: other })).toMatchObject({ status: 404 })
    await send(queue, 1)
    expect(await api.request('DELETE', `/queues/${queue}`)).toMatchObject({ status: 204 })
    expect(await send(queue, 1)).toMatchObject({ status: 404 })
    expect(await api.post(`/queues/${queue}/receive`)).toMatchObject({ status: 404 })
    await api.post('/queues', { name: queue })
    expect(await receive(queue)).toEqual([])
  })

  it.each([
    [{ type: 'a', data: 1 }, ['#/to']],
    [{ to: {}, type: 'a' }, ['#/to']],
    [{ to: { topic: 'a', queue: 'b' }, type: 'a' }, ['#/to']],
    [{ to: { topic: 'a b' }, type: '' }, ['#/to/topic', '#/type']],
    [{ to: { topic: 'a' }, type: 'a', more: 1 }, ['#/more']],
  ])('refuse the message %j', async (body, pointers) => {
    const { status, body: problem } = await api.post('/messages', body)
    expect(status).toBe(422)
    expect(problem.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(pointers)
  })

  it('refuse a message that passed too many topics, and name the circle', async () => {
    const hops = Array.from({ length: 16 }, (_, at) => (at % 2 === 0 ? 'a' : 'b'))
    const refused = await api.post('/messages', { to: { topic: 'a' }, type: 'x', hops })
    expect(refused).toMatchObject({ status: 409, body: { code: 'HOP_LIMIT' } })
    expect(refused.body.detail).toContain('a → b → a')
  })
})
