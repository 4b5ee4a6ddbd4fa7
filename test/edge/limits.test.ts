import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { sweep } from '#functions/sweep/sweep.ts'
import { agentLimitId } from '#shared/domain/limits/limit.ts'
import { newPlace, takePlace } from '#shared/domain/limits/places.ts'
import { anApi, type TestApi } from '#test/support/api.ts'
import { apiHosts } from '#test/support/api-hosts.ts'
import { eventually } from '#test/support/eventually.ts'
import { until } from '#test/support/server-process.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'

let api: TestApi
type Joined = { instanceId: string; token: string }
type Leased = { taskId: string; fence: string }

const register = (name: string, configuration = {}) =>
  api.post('/agents', { name, capabilities: [{ name }], configuration })
const join = async (agent: string): Promise<Joined> => (await api.post('/instances', { agent, slots: 50 })).body
const submit = async (capability: string, more = {}): Promise<string> =>
  (await api.post('/tasks', { capability, ...more })).body.id
const submitSome = async (capability: string, count: number, more = {}): Promise<string[]> => {
  const ids: string[] = []
  for (let n = 0; n < count; n++) ids.push(await submit(capability, more))
  return ids
}
const lease = async ({ instanceId, token }: Joined, max = 1, wait = 0): Promise<Leased[]> =>
  (await api.post(`/instances/${instanceId}/lease?wait=${wait}`, { max }, { key: token })).body.tasks
const complete = ({ token }: Joined, { taskId, fence }: Leased) =>
  api.post(`/tasks/${taskId}/complete`, { fence, result: 1 }, { key: token })
const taskOf = async (id: string) => (await api.get(`/tasks/${id}`)).body
const patch = (body: unknown, headers = {}) => api.request('PATCH', '/limits', { body, headers })
/** Until the queue is empty: what is refused is held by then. */
const drain = async (joined: Joined): Promise<Leased[]> => {
  const all: Leased[] = []
  for (;;) {
    const some = await lease(joined, 50)
    if (some.length === 0) return all
    all.push(...some)
  }
}

describe.each(apiHosts)('limits on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  it('keep an agent to its own, exactly, under 20 claims at once', async () => {
    await register('exact', { maxConcurrentTasks: 3 })
    const joined = await Promise.all(Array.from({ length: 4 }, () => join('exact')))
    const ids = await submitSome('exact', 20)
    const claims = ids.map((id, at) => {
      const { instanceId, token } = joined[at % 4] as Joined
      return api.post(`/instances/${instanceId}/lease?wait=0`, { taskIds: [id] }, { key: token })
    })
    const leased = (await Promise.all(claims)).flatMap(({ body }) => body.tasks)
    expect(leased).toHaveLength(3)
    const states = await Promise.all(ids.map(taskOf))
    expect(states.filter(({ status }) => status === 'RUNNING')).toHaveLength(3)
    expect(states.filter(({ blockedBy }) => blockedBy?.code === 'LIMIT')).toHaveLength(17)
    const { agents } = (await api.get('/limits')).body
    expect(agents.exact).toEqual({ concurrency: 3, use: { running: 3, held: 17 } })
  })

  it('wake what they hold in the order in which it came, lane by lane', async () => {
    await register('ordered', { maxConcurrentTasks: 1 })
    const joined = await join('ordered')
    const first = await submit('ordered')
    let [running] = await lease(joined, 1, 20)
    expect(running?.taskId).toBe(first)
    const normal = await submitSome('ordered', 3)
    const high = await submit('ordered', { priority: 'high' })
    expect(await drain(joined)).toEqual([])
    for (const expected of [high, ...normal]) {
      await complete(joined, running as Leased)
      ;[running] = await lease(joined, 1, 20)
      expect(running?.taskId).toBe(expected)
    }
  })

  it('take effect when an agent is changed, without a join', async () => {
    await register('grown', { maxConcurrentTasks: 1 })
    const joined = await join('grown')
    await submitSome('grown', 4)
    expect(await drain(joined)).toHaveLength(1)
    const changed = { configuration: { maxConcurrentTasks: 3 } }
    expect((await api.request('PATCH', '/agents/grown', { body: changed })).status).toBe(200)
    const more = await until(async () => {
      const leased = await drain(joined)
      return leased.length > 0 ? leased : undefined
    })
    const rest = more.length === 2 ? [] : await lease(joined, 1, 20)
    expect([...more, ...rest]).toHaveLength(2)
    expect(await lease(joined, 5, 0)).toEqual([])
  })

  it('count what runs already when they are set', async () => {
    await register('early')
    const joined = await join('early')
    await submitSome('early', 5)
    const running = await lease(joined, 3)
    expect(running).toHaveLength(3)
    await api.request('PATCH', '/agents/early', { body: { configuration: { maxConcurrentTasks: 2 } } })
    await until(async () => (await api.get('/limits')).body.agents.early?.use.running === 3)
    expect(await drain(joined)).toEqual([])
    await complete(joined, running[0] as Leased)
    expect(await drain(joined)).toEqual([])
    await complete(joined, running[1] as Leased)
    expect(await lease(joined, 5, 20)).toHaveLength(1)
  })

  it('hold a key and leave others alone, and say so', async () => {
    await register('keyed')
    const joined = await join('keyed')
    expect((await patch({ keys: { noisy: { concurrency: 1 } } })).status).toBe(200)
    const noisy = await submitSome('keyed', 3, { fairnessKey: 'noisy' })
    const quiet = await submit('keyed', { fairnessKey: 'quiet' })
    const leased = await drain(joined)
    const [running, ...held] = noisy.toSorted((a, b) =>
      leased.some(({ taskId }) => taskId === a) ? -1 : a < b ? -1 : 1,
    )
    expect(leased.map(({ taskId }) => taskId).sort()).toEqual([running, quiet].sort())
    expect((await taskOf(held[0] ?? '')).blockedBy).toEqual({
      code: 'LIMIT',
      message: expect.stringContaining('key noisy (1 at once)'),
    })
    expect((await api.get('/limits')).body.keys.noisy).toEqual({ concurrency: 1, use: { running: 1, held: 2 } })
    expect((await api.get(`/tasks/${held[0]}/why`)).body).toMatchObject({
      code: 'LIMIT',
      evidence: { limit: 'key noisy', heldBy: [running] },
    })
    await patch({ keys: { noisy: null } })
    const rest = await until(async () => {
      const more = await drain(joined)
      return more.length > 0 ? more : undefined
    })
    if (rest.length === 1) rest.push(...(await lease(joined, 1, 20)))
    expect(rest.map(({ taskId }) => taskId).sort()).toEqual(held.sort())
    for (const one of [...leased, ...rest]) await complete(joined, one)
  })

  it('bound a tenant over all of its agents', async () => {
    const agents = ['left', 'right']
    for (const name of agents) await register(name)
    const joined = await Promise.all(agents.map(join))
    await patch({ tenant: { concurrency: 2 } })
    // what runs already is counted by the projector, a moment later; of instances that are silent for long it runs no more
    const running = await eventually(async () => {
      const { length } = (await api.get('/tasks?status=RUNNING&limit=200')).body.items
      expect((await api.get('/limits')).body.tenant.use.running).toBe(length)
      return length
    })
    for (const name of agents) await submitSome(name, 2)
    const most = Math.max(0, 2 - running)
    const leased: Leased[] = []
    // a start that met the count of what runs already is held, and woken a moment later
    await eventually(async () => {
      leased.push(...(await Promise.all(joined.map(drain))).flat())
      expect(leased.length).toBeGreaterThanOrEqual(most)
    }).finally(() => patch({ tenant: null })) // also for the tests that follow, should this one fail
    expect(leased).toHaveLength(most)
    expect((await api.get('/limits')).body).not.toHaveProperty('tenant')
  })

  it('let so many start in a time, and the next when there is a token', async () => {
    await register('rated')
    const joined = await join('rated')
    await patch({ agents: { rated: { rate: { count: 2, seconds: 1 } } } })
    const ids = await submitSome('rated', 5)
    const began = Date.now()
    const allowed = () => 2 + (Date.now() - began + 50) / 500
    const started = await until(async () => {
      const some = await drain(joined)
      return some.length > 0 ? some : undefined
    })
    expect(started.length).toBeGreaterThanOrEqual(2)
    expect(started.length).toBeLessThanOrEqual(allowed())
    const waiting = await taskOf(ids.find((id) => !started.some(({ taskId }) => taskId === id)) ?? '')
    if (waiting.status === 'QUEUED') expect(waiting.blockedBy).toMatchObject({ code: 'RATE' })
    while (started.length < ids.length) {
      const some = await lease(joined, 5, 20)
      expect(some).not.toEqual([])
      started.push(...some)
      expect(started.length).toBeLessThanOrEqual(allowed())
    }
    expect(started.map(({ taskId }) => taskId).sort()).toEqual(ids.toSorted())
  })

  it('wake whom a rate held when it is raised, and begin anew once it was removed', async () => {
    await register('raised')
    const joined = await join('raised')
    const rateOf = async (rate: object | null) => (await patch({ keys: { raised: rate && { rate } } })).body.keys.raised
    const hour = { count: 1, seconds: 3600 }
    await rateOf(hour)
    const ids = await submitSome('raised', 2, { fairnessKey: 'raised' })
    const leased = await eventually(async () => {
      const some = await drain(joined)
      expect(some).toHaveLength(1)
      return some
    })
    expect((await rateOf(hour)).use).toMatchObject({ tokens: expect.closeTo(0, 1) })
    expect(await rateOf({ count: 1000, seconds: 1 })).toMatchObject({ rate: { count: 1000, seconds: 1 } })
    leased.push(...(await lease(joined, 1, 20)))
    expect(leased.map(({ taskId }) => taskId).sort()).toEqual(ids.toSorted())
    await rateOf(hour)
    await eventually(async () => {
      await submit('raised', { fairnessKey: 'raised' })
      expect(await lease(joined, 1)).toHaveLength(1)
    })
    await rateOf(null)
    expect((await rateOf(hour)).use.tokens).toBe(1)
    await submit('raised', { fairnessKey: 'raised' })
    expect(await lease(joined, 1, 20)).toHaveLength(1)
    await rateOf(null)
  })

  it('never owe submits, and begin anew when the rate of these is changed', async () => {
    await register('spent')
    await patch({ submitRate: { count: 1, seconds: 3600 } })
    await submit('spent')
    expect((await api.get('/limits')).body.submitRate.tokens).toBeCloseTo(0, 1)
    expect((await patch({ submitRate: { count: 5, seconds: 1 } })).body.submitRate.tokens).toBe(5)
    expect(await eventually(() => api.post('/tasks', { capability: 'spent' }))).toMatchObject({ status: 202 })
    await patch({ submitRate: null })
  })

  it('are changed by a merge patch, under the state that was read', async () => {
    const { headers } = await patch({ defaultKey: { concurrency: 9, rate: { count: 1, seconds: 60 } } })
    const etag = headers.get('etag') ?? ''
    const merged = await patch({ defaultKey: { rate: null } }, { 'if-match': etag })
    expect(merged).toMatchObject({ status: 200, body: { defaultKey: { concurrency: 9 } } })
    expect(merged.body.defaultKey).not.toHaveProperty('rate')
    expect((await patch({ defaultKey: null }, { 'if-match': etag })).status).toBe(412)
    expect((await patch({ defaultKey: null })).body).not.toHaveProperty('defaultKey')
    expect(await patch({ tenant: { concurrency: 0 } })).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '#/tenant/concurrency' }] },
    })
    const worker = await join('rated')
    expect((await api.get('/limits', { key: worker.token })).status).toBe(403)
  })

  it('refuse what is submitted beyond the rate, and tell when it may be tried again', async () => {
    await register('asked')
    await patch({ submitRate: { count: 2, seconds: 60 } })
    const first = await api.post('/tasks', { capability: 'asked' })
    expect(first.status).toBe(202)
    expect(first.headers.get('ratelimit-policy')).toBe('"submit";q=2;w=60')
    expect(first.headers.get('ratelimit')).toBe('"submit";r=1;t=30')
    await submit('asked')
    const refused = await api.post('/tasks', { capability: 'asked' })
    expect(refused).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } })
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(25)
    expect(refused.headers.get('ratelimit')).toMatch(/^"submit";r=0;t=(59|60)$/)
    const spent = await api.post('/tasks:batch', { tasks: [{ capability: 'asked' }] })
    expect(spent).toMatchObject({ status: 200, body: { items: [{ status: 429 }] } })
    await patch({ submitRate: { count: 3, seconds: 600 } })
    const tasks = Array.from({ length: 5 }, () => ({ capability: 'asked' }))
    const { items } = (await api.post('/tasks:batch', { tasks })).body
    const accepted = items.filter(({ status }: { status: number }) => status === 202).length
    expect(accepted).toBeLessThanOrEqual(3)
    expect(items.at(-1)).toMatchObject({ status: 429, problem: { code: 'RATE_LIMITED' } })
    const beyond = (await api.post('/tasks:batch', { tasks })).body.items.map(
      ({ status }: { status: number }) => status,
    )
    expect(beyond).toEqual(tasks.map(() => 429))
    await patch({ submitRate: null })
    expect((await api.post('/tasks', { capability: 'asked' })).headers.get('ratelimit')).toBeNull()
  })
})

describe('a held task', () => {
  const clock = aSkewedClock()
  beforeAll(async () => {
    api = await anApi({ clock })
  })
  afterAll(() => api?.close())

  it('is found by the sweep when what should have woken it was lost', async () => {
    await register('lossy', { maxConcurrentTasks: 1 })
    const joined = await join('lossy')
    await submitSome('lossy', 2)
    const [first] = await drain(joined)
    const queues = vi.spyOn(api.platform.queues, 'send').mockRejectedValue(new Error('no queue today'))
    expect((await complete(joined, first as Leased)).status).toBe(200)
    queues.mockRestore()
    expect(await lease(joined)).toEqual([])
    clock.forward(61_000)
    await sweep(api.platform)
    expect(await lease(joined, 1, 20)).toHaveLength(1)
  })

  it('starts when the place was taken by a process that ended before its lease', async () => {
    await register('orphan', { maxConcurrentTasks: 1 })
    const joined = await join('orphan')
    const id = await submit('orphan')
    const { id: agent } = (await api.get('/agents/orphan')).body
    const place = newPlace(api.platform)
    await takePlace(api.platform, 'default', { id: agentLimitId(agent), concurrency: 1 }, { task: id, place })
    expect(await lease(joined)).toEqual([])
    expect((await taskOf(id)).blockedBy).toMatchObject({ code: 'LIMIT' })
    clock.forward(61_000)
    await sweep(api.platform)
    expect(await lease(joined, 1, 20)).toHaveLength(1)
  })
})
