import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { anApi, anAwsApi, type TestApi } from '#test/support/api.ts'
import { dynoxideBinary } from '#test/support/aws-servers.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'

const hosts = [
  { host: 'the embedded host', open: anApi },
  ...(dynoxideBinary() === undefined ? [] : [{ host: 'AWS', open: anAwsApi }]),
]

type Joined = { instanceId: string; token: string }
let api: TestApi

const register = (name: string, more = {}) => api.post('/agents', { name, capabilities: [{ name }], ...more })
const join = async (agent: string, headers = {}): Promise<Joined> =>
  (await api.post('/instances', { agent, slots: 5 }, { headers })).body
const leaseBy = ({ instanceId, token }: Joined, body: unknown, wait = 1) =>
  api.post(`/instances/${instanceId}/lease?wait=${wait}`, body, { key: token })
const lease = async (joined: Joined, max = 1, wait = 1) => (await leaseBy(joined, { max }, wait)).body.tasks
const submit = async (capability: string, more = {}): Promise<string> =>
  (await api.post('/tasks', { capability, ...more })).body.id
const complete = (joined: Joined, { taskId, fence }: { taskId: string; fence: string }, result: unknown = 'done') =>
  api.post(`/tasks/${taskId}/complete`, { fence, result }, { key: joined.token })

describe.each(hosts)('the worker protocol on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  it('answers a claim that is repeated with the lease that there is', async () => {
    await register('claimer')
    const joined = await join('claimer')
    const id = await submit('claimer')
    const first = (await leaseBy(joined, { taskIds: [id] })).body
    const again = (await leaseBy(joined, { taskIds: [id] })).body
    expect(first.tasks).toHaveLength(1)
    expect(again.tasks).toEqual(first.tasks)
    expect((await leaseBy(await join('claimer'), { taskIds: [id] })).body).toEqual({ tasks: [] })
  })

  it('shows of an agent what its instances ran by their last heartbeats', async () => {
    await register('shown')
    const joined = await join('shown')
    await submit('shown')
    const [task] = await lease(joined)
    const held = { taskId: task.taskId, fence: task.fence }
    const beat = (body: object) => api.post(`/instances/${joined.instanceId}/heartbeat`, body, { key: joined.token })
    const running = async () => (await api.get('/agents/shown')).body.instances.running
    expect(await running()).toBe(0)
    await beat({ running: [held] })
    await beat({})
    expect(await running()).toBe(1)
    await complete(joined, task)
    expect(await running()).toBe(1)
    await beat({ running: [] })
    expect(await running()).toBe(0)
  })

  it('keeps to the limit of an agent, and gives the place of what ended to the next', async () => {
    await register('narrow', { configuration: { maxConcurrentTasks: 2 } })
    const [one, other] = [await join('narrow'), await join('narrow')]
    for (let n = 0; n < 5; n++) await submit('narrow')
    const leased = await lease(one, 5)
    expect(leased).toHaveLength(2)
    const began = Date.now()
    expect(await lease(other, 5)).toEqual([])
    expect(Date.now() - began).toBeGreaterThan(800) // it waits, and does not ask again at once
    const next = lease(other, 5, 5)
    expect((await complete(one, leased[0])).status).toBe(200)
    expect(await next).toHaveLength(1)
    await api.post(`/tasks/${leased[1].taskId}/cancel`)
    expect(await lease(one, 5, 5)).toHaveLength(1)
  })

  it('tells a heartbeat that does not say what runs of tasks that were cancelled, also with their parents', async () => {
    await register('silent')
    const [joined, other] = [await join('silent'), await join('silent')]
    const beat = async ({ instanceId, token }: Joined, headers = {}) =>
      (await api.post(`/instances/${instanceId}/heartbeat`, {}, { key: token, headers })).body
    const parent = await submit('silent')
    const child = await submit('silent', { parent })
    await lease(joined, 5)
    const held = beat(joined, { prefer: 'wait=5' })
    await api.post(`/tasks/${parent}/cancel`)
    expect((await held).cancel).toContain(parent)
    await vi.waitFor(
      async () => expect((await beat(joined)).cancel.toSorted()).toEqual([parent, child].toSorted()),
      10_000,
    )
    expect((await beat(other)).cancel).toEqual([])
  })

  it('hands out no more input than an answer has room for, and the rest with the next one', async () => {
    await register('heavy')
    const joined = await join('heavy', { slots: 20 })
    const ids = await Promise.all(Array.from({ length: 18 }, () => submit('heavy', { input: 'x'.repeat(250_000) })))
    const { tasks: first, elsewhere } = (await leaseBy(joined, { taskIds: ids })).body
    expect(first.map(({ taskId }: { taskId: string }) => taskId)).toEqual(ids.slice(0, 16))
    expect(elsewhere).toBeUndefined()
    expect((await api.get(`/tasks/${ids[17]}`)).body).toMatchObject({ status: 'QUEUED' })
    const second = (await leaseBy(joined, { taskIds: ids.slice(16) })).body.tasks
    expect(second.map(({ taskId }: { taskId: string }) => taskId)).toEqual(ids.slice(16))
  })

  it('gives the places back when the queue fails', async () => {
    await register('unlucky', { configuration: { maxConcurrentTasks: 1 } })
    const joined = await join('unlucky')
    await submit('unlucky')
    const { receive } = api.platform.queues
    const failing = vi.spyOn(api.platform.queues, 'receive').mockImplementation(async (asked) => {
      if (asked.receiver === joined.instanceId) throw new Error('no queue today') // loops receive as well
      return receive(asked)
    })
    expect((await leaseBy(joined, { max: 1 })).status).toBe(500)
    failing.mockRestore()
    expect(await lease(joined)).toHaveLength(1)
  })

  it('holds what a limit keeps from an instance, which may claim it once there is a place', async () => {
    await register('single', { configuration: { maxConcurrentTasks: 1 } })
    const joined = await join('single')
    const ids = [await submit('single'), await submit('single')]
    const claimed = (await leaseBy(joined, { taskIds: ids })).body
    expect(claimed).toMatchObject({ tasks: [{ taskId: expect.any(String) }] })
    expect(claimed.tasks).toHaveLength(1)
    const other = ids.find((id) => id !== claimed.tasks[0].taskId)
    expect((await api.get(`/tasks/${other}`)).body).toMatchObject({ status: 'QUEUED', blockedBy: { code: 'LIMIT' } })
    await complete(joined, claimed.tasks[0])
    expect((await leaseBy(joined, { taskIds: ids })).body.tasks).toMatchObject([{ taskId: other }])
  })

  it('completes several tasks in one call, each by itself, and again to the same end', async () => {
    await register('batcher')
    const joined = await join('batcher')
    const ids = [await submit('batcher'), await submit('batcher')]
    const leased = (await leaseBy(joined, { taskIds: ids })).body.tasks as { taskId: string; fence: string }[]
    const completions = [
      ...leased.map(({ taskId, fence }) => ({ taskId, fence, result: taskId })),
      { taskId: ids[0], fence: '1.99', result: 'stale' },
    ]
    const send = () => api.post(`/instances/${joined.instanceId}/complete`, { completions }, { key: joined.token })
    for (const answer of [await send(), await send()])
      expect(answer).toMatchObject({
        status: 200,
        body: { outcomes: [{ status: 200 }, { status: 200 }, { status: 409, code: 'STALE_FENCE', taskId: ids[0] }] },
      })
    expect((await api.get(`/tasks/${ids[0]}`)).body).toMatchObject({ status: 'SUCCEEDED', result: ids[0] })
  })

  it('records a report once, however often it is sent', async () => {
    await register('reporter')
    const joined = await join('reporter')
    const id = await submit('reporter')
    const [task] = await lease(joined)
    const body = { fence: task.fence, output: [{ chunk: 'x' }], usage: { tokens: 5 } }
    const options = { key: joined.token, headers: { 'idempotency-key': 'r-1' } }
    for (let n = 0; n < 2; n++) expect((await api.post(`/tasks/${id}/progress`, body, options)).status).toBe(202)
    await api.post(`/tasks/${id}/progress`, body, { ...options, headers: { 'idempotency-key': 'r-2' } })
    const done = await complete(joined, task)
    expect(done.body.cost).toEqual({ tokens: 10 })
  })

  it('refuses another report under a key that was used for one', async () => {
    await register('rephraser')
    const joined = await join('rephraser')
    const id = await submit('rephraser')
    const [task] = await lease(joined)
    const options = { key: joined.token, headers: { 'idempotency-key': 'r-1' } }
    const report = (tokens: number) =>
      api.post(`/tasks/${id}/progress`, { fence: task.fence, usage: { tokens } }, options)
    expect((await report(5)).status).toBe(202)
    expect(await report(7)).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_CONFLICT' } })
    expect((await report(5)).status).toBe(202)
    expect((await complete(joined, task)).body.cost).toEqual({ tokens: 5 })
  })

  it('lets an instance join again under its key after it has left', async () => {
    await register('returner')
    const headers = { 'idempotency-key': 'returner-1' }
    const first = await join('returner', headers)
    await api.request('DELETE', `/instances/${first.instanceId}`, { key: first.token })
    const again = await join('returner', headers)
    expect(again.instanceId).toBe(first.instanceId)
    await submit('returner')
    expect(await lease(again)).toHaveLength(1)
  })

  it('takes another body under its key for another instance until it has left', async () => {
    await register('changed')
    const joinWith = (more: object) =>
      api.post('/instances', { agent: 'changed', slots: 2, ...more }, { headers: { 'idempotency-key': 'changed-1' } })
    const first = (await joinWith({})).body
    expect((await joinWith({})).body.instanceId).toBe(first.instanceId)
    for (const more of [{ slots: 3 }, { labels: { zone: 'eu' } }])
      expect(await joinWith(more)).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_CONFLICT' } })
    await api.request('DELETE', `/instances/${first.instanceId}`)
    expect((await joinWith({ slots: 3 })).body.instanceId).toBe(first.instanceId)
    expect((await api.get('/agents/changed/instances')).body.items).toMatchObject([{ slots: 3 }])
  })

  it('lets an instance leave twice, and do nothing else once it has left', async () => {
    await register('leaver')
    const { instanceId, token: key } = await join('leaver')
    const leave = () => api.request('DELETE', `/instances/${instanceId}`, { key })
    expect([(await leave()).status, (await leave()).status]).toEqual([204, 204])
    expect((await api.post(`/instances/${instanceId}/heartbeat`, {}, { key })).status).toBe(401)
    expect((await api.post(`/instances/${instanceId}/lease`, { max: 1 }, { key })).status).toBe(401)
  })

  it('shows an instance the tasks of its own agent alone', async () => {
    for (const name of ['curious', 'private']) await register(name)
    const joined = await join('curious')
    const [own, other] = [await submit('curious'), await submit('private')]
    expect((await api.get(`/tasks/${own}`, { key: joined.token })).status).toBe(200)
    expect((await api.get(`/tasks/${other}`, { key: joined.token })).status).toBe(404)
  })

  it('takes for an object what is one, with content, and everything else as it is', async () => {
    await register('pointer')
    const joined = await join('pointer')
    const empty = (await api.post('/objects', {})).body.ref
    expect(await api.post('/tasks', { capability: 'pointer', input: empty })).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '#/input/$ref', code: 'NO_CONTENT' }] },
    })
    const id = await submit('pointer')
    const [task] = await lease(joined)
    expect((await complete(joined, task, empty)).body.errors).toMatchObject([{ pointer: '#/result/$ref' }])
    const schema = { $ref: '#/definitions/a' }
    expect((await complete(joined, task, schema)).status).toBe(200)
    expect(await api.get(`/tasks/${id}/result`)).toMatchObject({ status: 200, body: schema })
  })

  it('pages through the agents that offer a capability', async () => {
    for (let n = 0; n < 5; n++) await api.post('/agents', { name: `offer-${n}`, capabilities: [{ name: 'offered' }] })
    const names: string[] = []
    for (let cursor = ''; ; ) {
      const { body } = await api.get(`/agents?capability=offered&limit=2${cursor}`)
      names.push(...body.items.map(({ name }: { name: string }) => name))
      if (body.nextCursor === null) break
      cursor = `&cursor=${encodeURIComponent(body.nextCursor)}`
    }
    expect(names).toEqual(['offer-4', 'offer-3', 'offer-2', 'offer-1', 'offer-0'])
  })

  it('goes on with a cursor under the filter that it came with, and under no other', async () => {
    for (let n = 0; n < 3; n++) await api.post('/tasks', { capability: 'paged', labels: { n: 'x' } })
    const page = (query: string) => api.get(`/tasks?${query}`)
    const { items, nextCursor } = (await page('capability=paged&label=n:x&limit=1')).body
    const cursor = encodeURIComponent(nextCursor)
    const next = (await page(`label=n:x&capability=paged&limit=2&cursor=${cursor}`)).body
    expect(next.items).toHaveLength(2)
    expect(next.items).not.toContainEqual(expect.objectContaining({ id: items[0].id }))
    for (const other of ['', 'capability=paged&', 'capability=other&label=n:x&', 'status=QUEUED&'])
      expect(await page(`${other}cursor=${cursor}`)).toMatchObject({
        status: 422,
        body: { errors: [{ pointer: '#/query/cursor', code: 'OTHER_FILTER' }] },
      })
    const other = await api.get(`/agents?cursor=${cursor}`)
    expect(other).toMatchObject({ status: 422, body: { errors: [{ pointer: '#/query/cursor' }] } })
  })

  it('knows every capability of an agent with many', async () => {
    const capabilities = Array.from({ length: 40 }, (_, n) => ({ name: `many.${n}` }))
    expect((await api.post('/agents', { name: 'many', capabilities })).status).toBe(201)
    expect((await api.get('/agents?capability=many.39')).body.items).toHaveLength(1)
    expect((await api.request('DELETE', '/agents/many')).status).toBe(204)
    expect((await api.get('/agents?capability=many.39')).body.items).toEqual([])
    expect((await api.post('/agents', { name: 'many', capabilities: [] })).status).toBe(201)
  })
})

describe('a lease whose answer was lost', () => {
  const clock = aSkewedClock()
  beforeAll(async () => {
    api = await anApi({ clock })
  })
  afterAll(() => api?.close())

  it('is taken back from an instance that lives and does not say that it runs the task', async () => {
    await register('forgetful')
    const joined = await join('forgetful')
    const id = await submit('forgetful')
    await lease(joined)
    const beat = (body = {}) => api.post(`/instances/${joined.instanceId}/heartbeat`, body, { key: joined.token })
    await beat({ running: [] })
    expect((await api.get(`/tasks/${id}`)).body.status).toBe('RUNNING')
    clock.forward(20_000)
    await beat()
    clock.forward(11_000)
    await beat() // says nothing of what it runs
    expect((await api.get(`/tasks/${id}`)).body.status).toBe('RUNNING')
    await beat({ running: [] })
    const [again] = await lease(joined)
    expect(again).toMatchObject({ taskId: id, attempt: 2 })
  })
})
