import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { checkInput } from '#functions/api/check-input.ts'
import { newId } from '#shared/domain/ids.ts'
import type { Publication } from '#shared/domain/topics/publication.ts'
import { publish } from '#shared/domain/topics/publish.ts'
import { attendPublication } from '#shared/domain/topics/spread.ts'
import { findPublication } from '#shared/domain/topics/topic-store.ts'
import type { ProcessBus } from '#shared/platform/embedded/process-bus.ts'
import type { CloudEvent } from '#shared/platform/platform.ts'
import { PlatformError } from '#shared/platform/platform-error.ts'
import type { TestApi } from '#test/support/api.ts'
import { apiHosts } from '#test/support/api-hosts.ts'
import { eventually } from '#test/support/eventually.ts'
import { startReceiver } from '#test/support/webhook-receiver.ts'

let api: TestApi
let receiver: Awaited<ReturnType<typeof startReceiver>>

type Match = { id: string; state: string; became?: string; reason?: { code: string; message: string } }

const by = { actor: 'test', action: 'test', request: 'test' }
/** Puts a message on a topic, as an edge would. */
const tell = (topic: string, data: unknown, type = 'build.finished', more: object = {}) => {
  const envelope = { id: newId('msg', api.platform), source: 'test', type, time: Date.now(), ...more }
  return publish(api.platform, 'default', { topic, envelope, data }, by)
}
const subscribe = async (body: object): Promise<string> => {
  const made = await api.post('/subscriptions', body)
  expect(made.status, JSON.stringify(made.body)).toBe(201)
  return made.body.id
}
const matchesOf = async (id: string, query = ''): Promise<Match[]> =>
  (await api.get(`/subscriptions/${id}/matches${query}`)).body.items
const matched = (id: string, count: number) =>
  eventually(async () => {
    const found = await matchesOf(id)
    expect(found).toHaveLength(count)
    return found
  })
const inputOf = async (task: string) => {
  const head = await api.platform.main.get<{ input: { value: unknown } }>({ pk: `default#task#${task}`, sk: 'head' })
  return head?.value.input.value
}
/** Every subscription was looked at: one that is made now is told nothing of it. */
const spread = ({ id }: Publication) =>
  eventually(async () => {
    const found = await findPublication(api.platform, 'default', id)
    expect(found?.value).not.toHaveProperty('position')
  })
const aTopic = () => `topic-${randomUUID()}`

describe.each(apiHosts)('topics on $host', ({ open }) => {
  beforeAll(async () => {
    receiver = await startReceiver(() => ({ status: 200 }))
    api = await open({ egressAllow: [`127.0.0.1:${receiver.port}`] })
  })
  afterAll(async () => {
    await api?.close()
    await receiver.stop()
  })

  it('give a capability a task for each message that the pattern matches, once', async () => {
    const topic = aTopic()
    const pattern = { type: ['build.finished'], data: { ok: [false], seconds: [{ numeric: ['>', 60] }] } }
    const id = await subscribe({
      topic,
      pattern,
      target: { capability: topic, priority: 'high', labels: { by: 'it' } },
    })
    await tell(topic, { ok: true, seconds: 90 })
    await tell(topic, { ok: false, seconds: 30 })
    await tell(topic, { ok: false, seconds: 90 }, 'build.started')
    const publication = await tell(topic, { ok: false, seconds: 90 })
    const [match] = await matched(id, 1)
    expect(match).toMatchObject({ state: 'DELIVERED', became: expect.stringMatching(/^tsk_/) })
    const task = (await api.get(`/tasks/${match?.became}`)).body
    expect(task).toMatchObject({ capability: topic, priority: 'high', labels: { by: 'it' } })
    expect(await inputOf(task.id)).toEqual({ ok: false, seconds: 90 })
    await attendPublication(api.platform, { checkInput }, publication)
    expect(await matchesOf(id)).toHaveLength(1)
  })

  it('reach the mailbox of an agent once, however many subscriptions lead there, and again in a replay', async () => {
    const topic = aTopic()
    await api.post('/agents', { name: topic })
    const [one = '', two = ''] = await Promise.all([1, 2].map(() => subscribe({ topic, target: { agent: topic } })))
    const from = new Date().toISOString()
    const { envelope } = await tell(topic, { n: 1 }, 'build.finished', { conversation: 'c' })
    await Promise.all([matched(one, 1), matched(two, 1)])
    const receive = async () => (await api.get(`/mailboxes/${topic}/messages`)).body.items
    const expected = [{ message: { id: envelope.id, conversation: 'c', topic, data: { n: 1 } } }]
    expect(await receive()).toMatchObject(expected)
    const acknowledged = await api.post(`/mailboxes/${topic}/ack`, { ids: [envelope.id] })
    expect(acknowledged.body).toEqual({ acknowledged: [envelope.id] })
    await api.post(`/subscriptions/${one}/replay`, { from })
    await eventually(async () => expect(await receive()).toMatchObject(expected))
    expect((await api.get(`/mailboxes/${topic}`)).body).toMatchObject({ waiting: 0, inFlight: 1 })
  })

  it('are handled by an agent that has a handler for their type, as what is sent to it is', async () => {
    const [topic, name] = [aTopic(), `handler-${randomUUID()}`]
    await api.post('/agents', { name, messages: [{ type: 'build.finished' }] })
    const { instanceId, token } = (await api.post('/instances', { agent: name, slots: 1 })).body
    await subscribe({ topic, target: { agent: name } })
    await tell(topic, { n: 1 })
    await eventually(async () => {
      const { tasks } = (await api.post(`/instances/${instanceId}/lease?wait=5`, { max: 1 }, { key: token })).body
      expect(tasks).toMatchObject([{ capability: 'message:build.finished', hops: [topic], input: { data: { n: 1 } } }])
    })
    expect((await api.get(`/mailboxes/${name}/messages`)).body.items).toEqual([])
  })

  it('are named whole, or by their beginning', async () => {
    const beginning = aTopic()
    const [whole, some, all] = await Promise.all([
      subscribe({ topic: `${beginning}.a`, target: { capability: 'x' } }),
      subscribe({ topic: `${beginning}.*`, target: { capability: 'x' } }),
      subscribe({ topic: '*', pattern: { source: [beginning] }, target: { capability: 'x' } }),
    ])
    await tell(`${beginning}.a`, {}, 'x', { source: beginning })
    await tell(`${beginning}.b`, {}, 'x', { source: beginning })
    await tell(beginning, {}, 'x', { source: beginning })
    await matched(whole, 1)
    await matched(some, 2)
    await matched(all, 3)
    await api.request('DELETE', `/subscriptions/${all}`)
  })

  it('reach webhooks, other topics and the bus, as CloudEvents that know their way', async () => {
    const [topic, next] = [aTopic(), aTopic()]
    const webhook = (await api.post('/webhooks', { url: `${receiver.url}/topic`, events: ['agent.*'] })).body.id
    const seen: CloudEvent[] = []
    const stop = (api.platform.bus as ProcessBus).subscribe((event) => void seen.push(event))
    await subscribe({ topic, target: { webhook } })
    const forward = await subscribe({ topic, target: { topic: next } })
    await subscribe({ topic: next, target: { bus: true } })
    await tell(topic, { big: 'x'.repeat(40_000) }, 'deploy.done', { subject: 'shop' })
    const event = await eventually(() => {
      const found = receiver.received.find(({ path, body }) => path === '/topic' && body.includes(topic))
      return JSON.parse(found?.body ?? '')
    })
    expect(event).toMatchObject({
      specversion: '1.0',
      type: 'deploy.done',
      source: 'test',
      subject: 'shop',
      topic,
      hops: topic,
      data: { big: 'x'.repeat(40_000) },
    })
    const [match] = await matched(forward, 1)
    await eventually(() => expect(seen.map(({ id }) => id)).toContain(match?.became))
    expect(seen.find(({ id }) => id === match?.became)).toMatchObject({ topic: next, hops: `${topic} ${next}` })
    const kept = { kind: 'event', to: { topic: next }, type: 'deploy.done', dataRef: { $ref: expect.any(String) } }
    expect(await api.get(`/messages/${match?.became}`)).toMatchObject({ status: 200, body: kept })
    stop()
  })

  it('end a message that goes round, and name the cycle', async () => {
    const [a, b] = [aTopic(), aTopic()]
    const there = await subscribe({ topic: a, target: { topic: b } })
    const back = await subscribe({ topic: b, target: { topic: a } })
    const passed = Array.from({ length: 13 }, (_, at) => (at % 2 === 0 ? b : a))
    const envelope = { id: newId('msg', api.platform), source: 'test', type: 'x', time: Date.now() }
    await publish(api.platform, 'default', { topic: a, envelope, data: {}, passed }, by)
    const dead = await eventually(async () => {
      const found = (await Promise.all([there, back].map((id) => matchesOf(id, '?state=DEAD')))).flat()
      expect(found).toHaveLength(1)
      return found[0]
    })
    expect(dead?.reason).toMatchObject({ code: 'HOP_LIMIT', message: expect.stringContaining(`${b} → ${a} → ${b}`) })
    expect((await matchesOf(there)).length + (await matchesOf(back)).length).toBe(3)
  })

  it('set aside what a target refuses, and try it again when asked to', async () => {
    const topic = aTopic()
    const inputSchema = { type: 'object', required: ['n'] }
    const agent = { name: topic, type: 'test', version: '1.0.0', capabilities: [{ name: topic, inputSchema }] }
    expect(await api.post('/agents', agent)).toMatchObject({ status: 201 })
    const id = await subscribe({ topic, target: { capability: topic } })
    await tell(topic, { m: 1 })
    const [match] = await matched(id, 1)
    expect(match).toMatchObject({ state: 'DEAD', tries: 1, reason: { code: 'INVALID' } })
    expect(match?.reason?.message).toContain('n')
    expect(await api.post(`/subscriptions/${id}/redrive`)).toMatchObject({ status: 202, body: { redriven: 1 } })
    await eventually(async () =>
      expect((await matchesOf(id, '?state=DEAD'))[0]).toMatchObject({ state: 'DEAD', tries: 1 }),
    )
    expect(await api.request('DELETE', `/agents/${topic}`)).toMatchObject({ status: 204 })
    await api.post(`/subscriptions/${id}/redrive`, { limit: 5 })
    await eventually(async () => expect(await matchesOf(id)).toMatchObject([{ state: 'DELIVERED' }]))
    expect(await matchesOf(id, '?state=DEAD')).toEqual([])
  })

  it('tell of what went wrong here no more than its kind', async () => {
    const topic = aTopic()
    const id = await subscribe({ topic, target: { bus: true } })
    const publishing = vi.spyOn(api.platform.bus, 'publish')
    publishing.mockRejectedValue(new Error('ECONNREFUSED 10.0.0.7'))
    await tell(topic, 1)
    const reason = { code: 'INTERNAL', message: 'internal error; the server log has it' }
    expect(await matched(id, 1)).toMatchObject([{ state: 'PENDING', reason }])
    publishing.mockRejectedValue(new PlatformError('UNAVAILABLE', 'table devcycle-main did not work'))
    await tell(topic, 2)
    const [second] = await matched(id, 2)
    expect(second?.reason).toEqual({ code: 'UNAVAILABLE', message: 'the platform is unavailable; try again' })
    publishing.mockRestore()
  })

  it('give their messages again from a time on, to the subscription that asks', async () => {
    const topic = aTopic()
    await tell(topic, { n: 0 })
    await new Promise((resolve) => setTimeout(resolve, 5))
    const from = new Date().toISOString()
    for (const n of [1, 2, 3]) await spread(await tell(topic, { n }))
    const pattern = { data: { n: [{ numeric: ['<', 3] }] } }
    const id = await subscribe({ topic, pattern, target: { capability: topic } })
    const headers = { 'idempotency-key': topic }
    const started = await api.post(`/subscriptions/${id}/replay`, { from }, { headers })
    expect(started).toMatchObject({ status: 202, body: { subscription: id, from, state: 'RUNNING' } })
    expect((await api.post(`/subscriptions/${id}/replay`, { from }, { headers })).body.id).toBe(started.body.id)
    const path = `/subscriptions/${id}/replays/${started.body.id}`
    await eventually(async () => expect((await api.get(path)).body).toMatchObject({ state: 'ENDED', matched: 2 }))
    expect(await matchesOf(id)).toHaveLength(2)
    expect((await api.get(`/tasks?capability=${topic}`)).body.items).toHaveLength(2)
    await api.post(`/subscriptions/${id}/replay`, { from })
    await matched(id, 4)
    const yesterday = new Date(Date.now() - 25 * 3_600_000).toISOString()
    const refused = { status: 422, body: { errors: [{ pointer: '#/from', code: 'RANGE' }] } }
    expect(await api.post(`/subscriptions/${id}/replay`, { from: yesterday })).toMatchObject(refused)
    expect(await api.get(`/subscriptions/${id}/replays/rpl_none`)).toMatchObject({ status: 404 })
  })

  it('match nothing more for a subscription that is deleted, or of another tenant', async () => {
    const topic = aTopic()
    const id = await subscribe({ topic, target: { capability: topic } })
    const other = await api.keyOf('other')
    await api.post('/subscriptions', { topic, target: { capability: topic } }, { key: other })
    for (const path of [`/subscriptions/${id}`, `/subscriptions/${id}/matches`])
      expect(await api.get(path, { key: other })).toMatchObject({ status: 404 })
    expect(await api.request('DELETE', `/subscriptions/${id}`)).toMatchObject({ status: 204 })
    const witness = await subscribe({ topic, target: { capability: `${topic}-2` } })
    await tell(topic, {})
    await matched(witness, 1)
    expect((await api.get(`/tasks?capability=${topic}`)).body.items).toEqual([])
    expect((await api.get(`/tasks?capability=${topic}`, { key: other })).body.items).toEqual([])
    expect(await api.get(`/subscriptions/${id}`)).toMatchObject({ status: 404 })
    expect(await api.request('DELETE', `/subscriptions/${id}`)).toMatchObject({ status: 404 })
  })

  it('are subscribed to once under one key', async () => {
    const wish = { topic: aTopic(), target: { bus: true } }
    const headers = { 'idempotency-key': wish.topic }
    const first = await api.post('/subscriptions', wish, { headers })
    expect((await api.post('/subscriptions', wish, { headers })).body).toEqual(first.body)
    expect(await api.post('/subscriptions', { ...wish, topic: 'x' }, { headers })).toMatchObject({
      status: 409,
      body: { code: 'IDEMPOTENCY_CONFLICT' },
    })
    expect((await api.get(`/subscriptions/${first.body.id}`)).body).toEqual(first.body)
  })

  it('are known again under their key when what they lead to is gone', async () => {
    const queue = aTopic()
    await api.post('/queues', { name: queue })
    const headers = { 'idempotency-key': queue }
    const subscribeAgain = () => api.post('/subscriptions', { topic: queue, target: { queue } }, { headers })
    const first = await subscribeAgain()
    await api.request('DELETE', `/queues/${queue}`)
    expect(await subscribeAgain()).toMatchObject({ status: 201, body: first.body })
  })

  it.each([
    [{ topic: 'a b', target: { bus: true } }, ['#/topic']],
    [{ topic: 'a*b', target: { bus: true } }, ['#/topic']],
    [{ topic: 'a', target: {} }, ['#/target']],
    [{ topic: 'a', target: { bus: true, capability: 'x' } }, ['#/target']],
    [{ topic: 'a', target: { bus: true, priority: 'low' } }, ['#/target/priority']],
    [{ topic: 'a', target: { webhook: 'whk_00000000000000000000000000' } }, ['#/target/webhook']],
    [{ topic: 'a', target: { agent: 'nobody' } }, ['#/target/agent']],
    [{ topic: 'a', target: { queue: 'nobody' } }, ['#/target/queue']],
    [{ topic: 'a*', target: { topic: 'ab' } }, ['#/target/topic']],
    [{ topic: 'a', pattern: { type: 'x' }, target: { bus: true } }, ['#/pattern/type']],
    [
      { topic: 'a', pattern: { type: [], data: { n: [{ numeric: ['>'] }] } }, target: { bus: true } },
      ['#/pattern/type', '#/pattern/data/n/0/numeric'],
    ],
  ])('refuse the subscription %j', async (body, pointers) => {
    const { status, body: problem } = await api.post('/subscriptions', body)
    expect(status).toBe(422)
    expect(problem.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(pointers)
  })
})
