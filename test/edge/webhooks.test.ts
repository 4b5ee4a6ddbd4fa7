import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { anApi, anAwsApi, type TestApi } from '#test/support/api.ts'
import { dynoxideBinary } from '#test/support/aws-servers.ts'
import { eventually } from '#test/support/eventually.ts'
import { startReceiver } from '#test/support/webhook-receiver.ts'

const hosts = [
  { host: 'the embedded host', open: anApi },
  ...(dynoxideBinary() === undefined ? [] : [{ host: 'AWS', open: anAwsApi }]),
]
let api: TestApi
let receiver: Awaited<ReturnType<typeof startReceiver>>
let status = 200
/** What `/slow` waits for before it answers. */
let slow = Promise.withResolvers<void>()

const create = (body: object, headers = {}) =>
  api.post('/webhooks', { url: `${receiver.url}/hook`, ...body }, { headers })
const end = async (more: object = {}): Promise<string> => {
  const { id } = (await api.post('/tasks', { capability: 'nobody', ...more })).body
  await api.post(`/tasks/${id}/cancel`)
  return id
}
const arrived = (task: string, path = '/hook') =>
  eventually(() => {
    const found = receiver.received.filter((one) => one.path === path && one.body.includes(task))
    expect(found.length).toBeGreaterThan(0)
    return found
  })
const deliveries = async (id: string) => (await api.get(`/webhooks/${id}/deliveries`)).body.items

describe.each(hosts)('webhooks on $host', ({ open }) => {
  beforeAll(async () => {
    slow = Promise.withResolvers()
    receiver = await startReceiver(async ({ path }) => {
      if (path === '/slow') await slow.promise
      return { status }
    })
    api = await open({ egressAllow: [`127.0.0.1:${receiver.port}`] })
  })
  beforeEach(() => {
    status = 200
  })
  afterAll(async () => {
    await api?.close()
    await receiver.stop()
  })

  it('tell of what ended, signed with a secret that its creation alone shows', async () => {
    const made = await create({ events: ['task.cancelled'] }, { 'idempotency-key': 'hook' })
    expect(made).toMatchObject({ status: 201, body: { state: 'ACTIVE', events: ['task.cancelled'] } })
    const { id, secret } = made.body
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{32}$/)
    expect((await api.get(`/webhooks/${id}`)).body.secret).toBeUndefined()
    const repeated = await create({ events: ['task.cancelled'] }, { 'idempotency-key': 'hook' })
    expect(repeated.body).toMatchObject({ id, secret })
    const task = await end({ labels: { team: 'x' } })
    const [request] = await arrived(task)
    const verified = new Webhook(secret).verify(request?.body ?? '', request?.headers ?? {})
    expect(verified).toMatchObject({
      type: 'io.devcycle.task.cancelled.v1',
      subject: task,
      data: { status: 'CANCELLED' },
    })
    await eventually(async () =>
      expect(await deliveries(id)).toMatchObject([{ state: 'DELIVERED', attempts: [{ status: 200, answer: 'seen' }] }]),
    )
    await api.request('DELETE', `/webhooks/${id}`)
    const later = await end()
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(receiver.received.some(({ body }) => body.includes(later))).toBe(false)
    expect((await api.get(`/webhooks/${id}`)).status).toBe(404)
  })

  it('show their secret to the same creation until it is replaced', async () => {
    const again = () => create({}, { 'idempotency-key': 'replaced' })
    const { id } = (await again()).body
    await api.post(`/webhooks/${id}/rotate-secret`)
    const later = await again()
    expect(later).toMatchObject({ status: 201, body: { id } })
    expect(later.body.secret).toBeUndefined()
    await api.request('DELETE', `/webhooks/${id}`)
  })

  it('come again when they fail, and once more when they are asked for, under the same id', async () => {
    const { id } = (await create({})).body
    status = 500
    const task = await end()
    await arrived(task)
    const [failed] = await eventually(async () => {
      const list = await deliveries(id)
      expect(list).toMatchObject([{ state: 'PENDING', attempts: [{ status: 500 }] }])
      return list
    })
    expect(Date.parse(failed.nextAttemptAt)).toBeGreaterThan(Date.now())
    status = 200
    const key = { headers: { 'idempotency-key': 'again' } }
    const redeliver = () => api.post(`/webhooks/${id}/deliveries/${failed.id}/redeliver`, undefined, key)
    const again = await redeliver()
    expect(again).toMatchObject({ status: 202, body: { state: 'PENDING' } })
    await eventually(async () => expect(await deliveries(id)).toMatchObject([{ state: 'DELIVERED' }]))
    const ids = (await arrived(task)).map(({ headers }) => headers['webhook-id'])
    expect(new Set(ids)).toEqual(new Set([failed.id]))
    expect(await redeliver()).toMatchObject({ status: 202, body: { state: 'DELIVERED', attempts: [{}, {}] } })
    expect((await api.post(`/webhooks/${id}/deliveries/dlv_00000000000000000000000000/redeliver`)).status).toBe(404)
    await api.request('DELETE', `/webhooks/${id}`)
  })

  it('sign with the secret before as well after a rotation, and are disabled by 410', async () => {
    const { id, secret } = (await create({})).body
    const rotated = await api.post(`/webhooks/${id}/rotate-secret`)
    expect(rotated.body.secret).not.toBe(secret)
    expect(Date.parse(rotated.body.previousSecretUntil)).toBeGreaterThan(Date.now() + 23 * 3_600_000)
    const again = (key: string) =>
      api.post(`/webhooks/${id}/rotate-secret`, undefined, { headers: { 'Idempotency-Key': key } })
    const third = (await again('lost')).body.secret
    expect((await again('lost')).body.secret).toBe(third)
    const fourth = (await again('other')).body.secret
    expect(fourth).not.toBe(third)
    expect(await again('lost')).toMatchObject({ status: 200, body: { secret: third } })
    status = 410
    const [request] = await arrived(await end())
    for (const one of [secret, rotated.body.secret, third, fourth])
      expect(() => new Webhook(one).verify(request?.body ?? '', request?.headers ?? {})).not.toThrow()
    await eventually(async () =>
      expect((await api.get(`/webhooks/${id}`)).body).toMatchObject({
        state: 'DISABLED',
        disabledReason: 'it answered 410 Gone',
      }),
    )
    const [failed] = await deliveries(id)
    const redeliver = () => api.post(`/webhooks/${id}/deliveries/${failed.id}/redeliver`)
    const refused = await redeliver()
    expect(refused).toMatchObject({ status: 409, body: { code: 'CONFLICT' } })
    expect(refused.body.detail).toContain('DISABLED')
    const enabled = await api.request('PATCH', `/webhooks/${id}`, { body: { state: 'ACTIVE' } })
    expect(enabled.body).toMatchObject({ state: 'ACTIVE' })
    expect((await redeliver()).status).toBe(202)
    await api.request('DELETE', `/webhooks/${id}`)
  })

  it('are widened again by a filter that is taken off', async () => {
    const { id } = (await create({ capability: 'other', labels: { team: 'y' }, description: 'x' })).body
    const patch = (body: object) => api.request('PATCH', `/webhooks/${id}`, { body })
    expect((await patch({ description: 'y' })).body).toMatchObject({ capability: 'other', labels: { team: 'y' } })
    const widened = await patch({ capability: null, labels: null, description: null })
    expect(widened.status).toBe(200)
    for (const field of ['capability', 'labels', 'description']) expect(widened.body).not.toHaveProperty(field)
    await arrived(await end())
    expect((await patch({ url: null })).status).toBe(422)
    await api.request('DELETE', `/webhooks/${id}`)
  })

  it('refuse a secret beyond ten that sign, and say when there can be one', async () => {
    const { id } = (await create({})).body
    const rotate = () => api.post(`/webhooks/${id}/rotate-secret`)
    for (let n = 0; n < 9; n++) expect((await rotate()).status).toBe(200)
    const refused = await rotate()
    expect(refused).toMatchObject({ status: 409, body: { code: 'CONFLICT' } })
    expect(refused.body.detail).toMatch(/^10 secrets are in force already, .*; the oldest is until \d{4}-/)
    await api.request('DELETE', `/webhooks/${id}`)
  })

  it.each([
    { address: 'a short', long: '' },
    { address: 'a long', long: `?${'long='.repeat(200)}` },
  ])('are made for the callback of one task alone, to $address address', async ({ long }) => {
    const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`
    const callback = { url: `${receiver.url}/callback${long}`, secret }
    const task = await end({ callback })
    const [request] = await arrived(task, `/callback${long}`)
    expect(new Webhook(secret).verify(request?.body ?? '', request?.headers ?? {})).toMatchObject({ subject: task })
    await eventually(async () => expect(await deliveries(task)).toMatchObject([{ state: 'DELIVERED' }]))
    const shown = { url: callback.url, state: 'DELIVERED' }
    expect((await api.get(`/tasks/${task}`)).body.callback).toEqual(shown)
    const again = (await api.post(`/tasks/${task}/retry`)).body
    expect(again.callback).toEqual({ url: callback.url })
    await api.post(`/tasks/${again.id}/cancel`)
    await arrived(again.id, `/callback${long}`)
    const refused = await api.post('/tasks', { capability: 'x', callback: { url: 'http://10.0.0.1/' } })
    expect(refused).toMatchObject({ status: 422, body: { errors: [{ pointer: '#/callback/url' }] } })
  })

  it('wait for no receiver that does not answer, nor does anything else', async () => {
    const stuck = (await create({ url: `${receiver.url}/slow` })).body
    const other = (await create({})).body
    await arrived(await end(), '/slow')
    const task = await end()
    await arrived(task, '/hook')
    const runAt = new Date(Date.now() + 100).toISOString()
    const { id } = (await api.post('/tasks', { capability: 'nobody', runAt })).body
    await eventually(async () => expect((await api.get(`/tasks/${id}`)).body.status).toBe('QUEUED'))
    expect((await deliveries(stuck.id)).every(({ state }: { state: string }) => state === 'PENDING')).toBe(true)
    slow.resolve()
    await eventually(async () =>
      expect(await deliveries(stuck.id)).toMatchObject([{ state: 'DELIVERED' }, { state: 'DELIVERED' }]),
    )
    for (const { id: webhook } of [stuck, other]) await api.request('DELETE', `/webhooks/${webhook}`)
  })

  it('are changed as they were seen: what comes between the look and the write wins', async () => {
    const { id } = (await create({})).body
    const path = `/webhooks/${id}`
    const tag = (await api.get(path)).headers.get('etag') ?? ''
    const { main } = api.platform
    const write = main.write
    const overtaken = (method: string, body?: object) => {
      main.write = async (wish) => {
        if (wish.op !== 'put' || wish.item.type !== 'webhook') return write(wish) // the projector writes too
        main.write = write
        await api.request('PATCH', path, { body: { description: 'mine' } })
        return main.write(wish)
      }
      return api.request(method, path, { body, headers: { 'if-match': tag } })
    }
    expect(await overtaken('PATCH', { state: 'DISABLED' })).toMatchObject({ status: 412 })
    expect((await api.get(path)).body).toMatchObject({ description: 'mine', state: 'ACTIVE' })
    const seen = (await api.get(path)).headers.get('etag') ?? ''
    expect((await api.request('DELETE', path, { headers: { 'if-match': seen } })).status).toBe(204)
  })

  it('are at most so many, and a creation that is repeated there answers its first one', async () => {
    const key = { 'idempotency-key': 'the-last' }
    const { id } = (await create({ description: 'last' }, key)).body
    const { main } = api.platform
    const query = main.query
    const one = await main.query({ index: 'parent', pk: 'default#webhooks', limit: 1 })
    main.query = (async (wish) =>
      wish.pk === 'default#webhooks' ? { items: Array(200).fill(one.items[0]) } : query(wish)) as typeof query
    expect(await create({ description: 'last' }, key)).toMatchObject({ status: 201, body: { id } })
    expect((await create({ description: 'other' }, key)).body.code).toBe('IDEMPOTENCY_CONFLICT')
    expect((await create({ description: 'more' })).body).toMatchObject({ code: 'CONFLICT' })
    main.query = query
  })

  it('refuse addresses that are not public, naming the field', async () => {
    for (const url of ['http://169.254.169.254/', 'http://localhost:1/', 'ftp://example.com/', 'nonsense'])
      expect(await create({ url })).toMatchObject({
        status: 422,
        body: { errors: [{ pointer: '#/url', code: 'TARGET' }] },
      })
    expect(await create({ events: ['Task Failed'] })).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '#/events/0' }] },
    })
  })
})
