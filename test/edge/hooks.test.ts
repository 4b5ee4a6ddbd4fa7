import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TestApi } from '#test/support/api.ts'
import { apiHosts } from '#test/support/api-hosts.ts'
import { eventually } from '#test/support/eventually.ts'
import { aHook } from '#test/support/hooks.ts'

let api: TestApi

const tasksOf = async (capability: string) => (await api.get(`/tasks?capability=${capability}`)).body.items

describe.each(apiHosts)('hooks on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  it('show their secret to their creation alone, and keep their name to themselves', async () => {
    const name = `ours-${randomUUID()}`
    const wish = { name, scheme: 'github', topic: 'github', description: 'pushes' }
    const made = await api.post('/hooks', wish, { headers: { 'idempotency-key': 'one' } })
    expect(made).toMatchObject({ status: 201, body: { ...wish, path: `/api/v2/hooks/${name}` } })
    expect(made.body.secret).toMatch(/^whsec_[A-Za-z0-9+/]{32}$/)
    const again = await api.post('/hooks', wish, { headers: { 'idempotency-key': 'one' } })
    expect(again).toMatchObject({ status: 201, body: { id: made.body.id } })
    expect(again.body.secret).toBe(made.body.secret)
    for (const change of [{ topic: 'other' }, { name: `${name}-2` }])
      expect(await api.post('/hooks', { ...wish, ...change }, { headers: { 'idempotency-key': 'one' } })).toMatchObject(
        {
          status: 409,
          body: { code: 'IDEMPOTENCY_CONFLICT' },
        },
      )
    expect((await api.get(`/hooks/${name}`)).body).toEqual({ ...made.body, secret: undefined })
    expect((await api.get('/hooks')).body.items.map((hook: { name: string }) => hook.name)).toContain(name)
    const other = await api.keyOf('other')
    expect(await api.get(`/hooks/${name}`, { key: other })).toMatchObject({ status: 404 })
    expect(await api.post('/hooks', wish, { key: other })).toMatchObject({ status: 409, body: { code: 'NAME_TAKEN' } })
    expect(await api.post('/hooks', wish)).toMatchObject({ status: 409, body: { code: 'NAME_TAKEN' } })
    expect(await api.request('DELETE', `/hooks/${name}`, { key: other })).toMatchObject({ status: 404 })
    expect(await api.request('DELETE', `/hooks/${name}`)).toMatchObject({ status: 204 })
    expect(await api.get(`/hooks/${name}`)).toMatchObject({ status: 404 })
    expect(await api.post('/hooks', wish, { key: other })).toMatchObject({ status: 201 })
  })

  it('take what is signed by Standard Webhooks once, whatever the number of times that it is sent', async () => {
    const topic = `orders-${randomUUID()}`
    const capability = topic
    await api.post('/subscriptions', { topic, target: { capability } })
    const { send } = await aHook(api, { topic })
    const id = randomUUID()
    const payload = { type: 'order.paid', data: { amount: 5 } }
    const first = await send(payload, { id })
    expect(first).toMatchObject({ status: 202, body: { duplicate: false, message: expect.stringMatching(/^msg_/) } })
    expect(await send(payload, { id })).toMatchObject({
      status: 202,
      body: { duplicate: true, message: first.body.message },
    })
    expect((await send(payload)).body.message).not.toBe(first.body.message)
    await eventually(async () => expect(await tasksOf(capability)).toHaveLength(2))
  })

  it.each([
    ['a'.repeat(200), 'a'.repeat(200)],
    ['a'.repeat(201), undefined],
    ['', undefined],
    [5, undefined],
    [{}, undefined],
  ])('take what is of no type that a message has as one, and cut none: %j', async (given, type) => {
    const { send } = await aHook(api, { topic: `typed-${randomUUID()}` })
    const payload = { type: given, subject: given }
    const { status, body } = await send(payload)
    expect(status).toBe(202)
    const message = (await api.get(`/messages/${body.message}`)).body
    expect(message).toMatchObject({ type: type ?? 'webhook', data: payload })
    expect(message.subject).toBe(type)
  })

  it('take what GitHub signs, by event and action', async () => {
    const topic = `github-${randomUUID()}`
    const capability = topic
    const pattern = { type: ['github.pull_request.opened'], subject: [{ prefix: 'acme/' }] }
    await api.post('/subscriptions', { topic, pattern, target: { capability, input: 'event' } })
    const { sendAsGithub, hook } = await aHook(api, { topic, scheme: 'github', secret: 'chosen-on-their-side' })
    expect(hook.secret).toBe('chosen-on-their-side')
    const repository = { full_name: 'acme/shop' }
    expect(await sendAsGithub('ping', { zen: 'Keep it logically awesome.' })).toMatchObject({ status: 202 })
    expect(await sendAsGithub('pull_request', { action: 'closed', repository })).toMatchObject({ status: 202 })
    const opened = await sendAsGithub('pull_request', { action: 'opened', number: 7, repository })
    const [task] = await eventually(async () => {
      const found = await tasksOf(capability)
      expect(found).toHaveLength(1)
      return found
    })
    const path = `/subscriptions/${await subscriptionOf(topic)}/matches`
    const match = { state: 'DELIVERED', became: task.id, message: opened.body.message }
    const sent = { kind: 'event', to: { topic }, type: 'github.pull_request.opened', data: { number: 7 } }
    expect(await api.get(`/messages/${opened.body.message}`)).toMatchObject({ status: 200, body: sent })
    await eventually(async () => expect((await api.get(path)).body.items).toMatchObject([match]))
  })

  const subscriptionOf = async (topic: string): Promise<string> =>
    (await api.get('/subscriptions')).body.items.find((one: { topic: string }) => one.topic === topic).id

  it('refuse what is not signed, signed with another secret, or too long ago', async () => {
    const { send, post, hook } = await aHook(api, { topic: 'x' })
    const refused = { status: 401, body: { code: 'UNAUTHENTICATED' } }
    expect(await post('{}', {})).toMatchObject(refused)
    expect(await post('', {})).toMatchObject(refused)
    expect(await send({ type: 'a' }, { secret: `whsec_${'A'.repeat(32)}` })).toMatchObject(refused)
    expect(await send({ type: 'a' }, { at: new Date(Date.now() - 600_000) })).toMatchObject(refused)
    expect(await api.request('POST', '/hooks/nobody', { body: '{}', key: null })).toMatchObject({ status: 404 })
    const github = await aHook(api, { topic: 'x', scheme: 'github' })
    expect(await github.post('{}', {})).toMatchObject(refused)
    expect(await github.sendAsGithub('push', {}, { secret: hook.secret })).toMatchObject(refused)
  })

  it('refuse signed bodies that are none of the scheme, naming what would be right', async () => {
    const github = await aHook(api, { topic: 'x', scheme: 'github' })
    expect(await github.sendAsGithub('two words', {})).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '#/headers/x-github-event' }] },
    })
    expect(await github.sendAsGithub('push', [1])).toMatchObject({ status: 422, body: { errors: [{ pointer: '#' }] } })
    const tooLarge = await github.sendAsGithub('push', { text: 'x'.repeat(300_000) })
    expect(tooLarge).toMatchObject({ status: 413, body: { code: 'PAYLOAD_TOO_LARGE' } })
  })

  it.each(['type', 'subject'])('refuse control characters in what becomes the %s', async (field) => {
    const { send } = await aHook(api, { topic: 'controlled' })
    const refused = await send({ type: 'order.paid', [field]: 'a b\u0001\n' })
    expect(refused).toMatchObject({ status: 422, body: { errors: [{ pointer: `#/${field}`, code: 'ATTRIBUTE' }] } })
  })

  it('end what goes round over another system, however long the names on its way are', async () => {
    const long = 'x'.repeat(180)
    const { send } = await aHook(api, { topic: long })
    const hops = (count: number) => Array.from({ length: count }, () => long).join(' ')
    const come = (count: number) => send({ specversion: '1.0', type: 'a', hops: hops(count) })
    expect(await come(15)).toMatchObject({ status: 202 })
    expect(await come(16)).toMatchObject({ status: 409, body: { code: 'HOP_LIMIT' } })
  })

  it('take each secret for a day after a new one, and none that was never theirs', async () => {
    const { hook, send } = await aHook(api, { topic: 'x' })
    const rotated = await api.post(`/hooks/${hook.name}/rotate-secret`)
    expect(rotated).toMatchObject({ status: 200, body: { previousSecretUntil: expect.any(String) } })
    expect(await send({ type: 'a' })).toMatchObject({ status: 202 })
    expect(await send({ type: 'a' }, { secret: rotated.body.secret })).toMatchObject({ status: 202 })
    await api.post(`/hooks/${hook.name}/rotate-secret`)
    expect(await send({ type: 'a' })).toMatchObject({ status: 202 })
    const foreign = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
    expect(await send({ type: 'a' }, { secret: foreign })).toMatchObject({ status: 401 })
  })

  it('get one new secret under a key, also when others came after it', async () => {
    const { hook, send } = await aHook(api, { topic: 'x' })
    const rotate = (key: string, body?: object) =>
      api.post(`/hooks/${hook.name}/rotate-secret`, body, { headers: { 'idempotency-key': key } })
    const { secret } = (await rotate('lost')).body
    const chosen = `whsec_${Buffer.alloc(32, 9).toString('base64')}`
    expect((await rotate('chosen', { secret: chosen })).body.secret).toBe(chosen)
    expect(await rotate('lost')).toMatchObject({ status: 200, body: { secret } })
    for (const body of [{}, { secret }])
      expect(await rotate('chosen', body)).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_CONFLICT' } })
    for (const one of [secret, chosen])
      expect(await send({ type: 'a' }, { secret: one })).toMatchObject({ status: 202 })
  })

  it('refuse wishes that make no sense, field by field', async () => {
    const wrong = { name: 'a/b', scheme: 'gitlab', topic: 'a*', secret: 'short', more: 1 }
    const { status, body } = await api.post('/hooks', wrong)
    const pointers = body.errors.map(({ pointer }: { pointer: string }) => pointer)
    expect(status).toBe(422)
    expect(pointers).toEqual(expect.arrayContaining(['#/name', '#/scheme', '#/topic', '#/secret', '#/more']))
    const secret = 'not-of-standard-webhooks'
    const unfit = await api.post('/hooks', { name: 'a', scheme: 'standard-webhooks', topic: 'a', secret })
    expect(unfit).toMatchObject({ status: 422, body: { errors: [{ pointer: '#/secret' }] } })
  })
})
