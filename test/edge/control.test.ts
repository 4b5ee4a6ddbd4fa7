import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anApi, anAwsApi, type TestApi } from '#test/support/api.ts'
import { dynoxideBinary } from '#test/support/aws-servers.ts'
import { until } from '#test/support/server-process.ts'

const hosts = [
  { host: 'the embedded host', open: anApi },
  ...(dynoxideBinary() === undefined ? [] : [{ host: 'AWS', open: anAwsApi }]),
]

type Joined = { instanceId: string; token: string }
let api: TestApi

const register = (name: string, more = {}) => api.post('/agents', { name, capabilities: [{ name }], ...more })
const join = async (agent: string, slots = 5): Promise<Joined> => (await api.post('/instances', { agent, slots })).body
const lease = async ({ instanceId, token }: Joined, max = 1, wait = 1) =>
  (await api.post(`/instances/${instanceId}/lease?wait=${wait}`, { max }, { key: token })).body.tasks
const submit = async (capability: string, more = {}): Promise<string> =>
  (await api.post('/tasks', { capability, ...more })).body.id
const fail = ({ token }: Joined, { taskId, fence }: { taskId: string; fence: string }, retryable = false) =>
  api.post(`/tasks/${taskId}/fail`, { fence, code: 'BROKEN', message: 'broke', retryable }, { key: token })

describe.each(hosts)('control on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  it('does a failed task again as a new one that begins at its checkpoint', async () => {
    await register('again')
    const joined = await join('again')
    const id = await submit('again', { input: { page: 1 }, labels: { team: 'x' }, priority: 'high' })
    const [task] = await lease(joined)
    await api.post(`/tasks/${id}/progress`, { fence: task.fence, checkpoint: { at: 7 } }, { key: joined.token })
    await fail(joined, task)
    const key = { headers: { 'idempotency-key': 'once' } }
    const retried = await api.post(`/tasks/${id}/retry`, undefined, key)
    expect(retried).toMatchObject({
      status: 202,
      body: { retryOf: id, status: 'QUEUED', attempt: 0, labels: { team: 'x' }, priority: 'high' },
    })
    expect(retried.headers.get('location')).toBe(`/api/v2/tasks/${retried.body.id}`)
    expect((await api.post(`/tasks/${id}/retry`, undefined, key)).body.id).toBe(retried.body.id)
    const otherwise = await api.post(`/tasks/${id}/retry`, { from: 'start' }, key)
    expect(otherwise).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_CONFLICT' } })
    expect(otherwise.body.detail).toMatch(/^the idempotency key once was used for task /)
    expect((await api.get(`/tasks/${id}`)).body.status).toBe('FAILED')
    expect(await lease(joined)).toMatchObject([
      { taskId: retried.body.id, attempt: 1, input: { page: 1 }, checkpoint: { at: 7 } },
    ])
    const fromStart = await api.post(`/tasks/${id}/retry`, { from: 'start' })
    const [second] = await lease(joined)
    expect(second).toMatchObject({ taskId: fromStart.body.id })
    expect(second.checkpoint).toBeUndefined()
  })

  it('starts a task that backs off now, and refuses one that is under way or succeeded', async () => {
    await register('hurry')
    const joined = await join('hurry')
    const id = await submit('hurry', { retry: { initialSeconds: 3600, maxSeconds: 3600 } })
    expect(await api.post(`/tasks/${id}/retry`)).toMatchObject({ status: 409, body: { code: 'CONFLICT' } })
    const [task] = await lease(joined)
    await fail(joined, task, true)
    expect((await api.get(`/tasks/${id}/why`)).body).toMatchObject({ code: 'BACK_OFF' })
    expect(await api.post(`/tasks/${id}/retry`)).toMatchObject({ status: 200, body: { id, status: 'QUEUED' } })
    const [again] = await lease(joined)
    expect(again).toMatchObject({ taskId: id, attempt: 2 })
    await api.post(`/tasks/${id}/complete`, { fence: again.fence, result: 1 }, { key: joined.token })
    expect((await api.post(`/tasks/${id}/retry`)).status).toBe(409)
  })

  it('cancels everything that a filter names and nothing else', async () => {
    await register('doomed')
    await register('spared')
    const joined = await join('doomed')
    const ids = await Promise.all(
      Array.from({ length: 30 }, (_, n) => submit('doomed', { labels: { odd: `${n % 2}` } })),
    )
    const other = await submit('spared', { labels: { odd: '1' } })
    await lease(joined, 5)
    const ask = (body: object) => api.post('/tasks:cancel', body)
    const filter = { agent: 'doomed', labels: { odd: '1' } }
    expect((await ask({ filter, dryRun: true })).body).toEqual({ matched: 15, cancelled: 0, complete: true })
    expect((await ask({ filter, reason: 'it went wrong' })).body).toEqual({
      matched: 15,
      cancelled: 15,
      complete: true,
    })
    expect((await api.get(`/tasks/${ids[1]}/why`)).body.message).toMatch(/by key:\w+: it went wrong$/)
    expect((await ask({ filter })).body).toEqual({ matched: 0, cancelled: 0, complete: true })
    expect((await ask({ filter: { capability: 'doomed' } })).body).toMatchObject({ cancelled: 15 })
    for (const id of ids) expect((await api.get(`/tasks/${id}`)).body.status).toBe('CANCELLED')
    expect((await api.get(`/tasks/${other}`)).body.status).toBe('QUEUED')
    const stopped = await api.post(`/tasks/${other}/cancel`, { reason: 'no more' })
    expect(stopped).toMatchObject({ status: 200, body: { status: 'CANCELLED' } })
    expect(await ask({})).toMatchObject({ status: 422, body: { errors: [{ pointer: '#/filter' }] } })
    expect((await ask({ filter: { status: 'FAILED' } })).status).toBe(422)
    const never = { since: '2026-02-01T00:00:00Z', until: '2026-01-01T00:00:00Z' }
    const errors = [{ pointer: '#/filter/since', code: 'RANGE' }]
    expect(await ask({ filter: never })).toMatchObject({ status: 422, body: { errors } })
  })

  it('finds what handles messages by the capability that it shows', async () => {
    await api.post('/agents', { name: 'listener', capabilities: [], messages: [{ type: 'note left/é' }] })
    await api.post('/messages', { kind: 'event', to: { agent: 'listener' }, type: 'note left/é' })
    const capability = 'message:note left/é'
    const listed = async () => (await api.get(`/tasks?capability=${encodeURIComponent(capability)}`)).body.items
    const [task] = await until(async () => ((await listed()).length > 0 ? listed() : undefined))
    expect(task).toMatchObject({ status: 'QUEUED', capability })
    expect((await api.post('/tasks:cancel', { filter: { capability } })).body).toMatchObject({ cancelled: 1 })
    for (const wrong of ['message:', 'other:x', ''])
      expect(await api.get(`/tasks?capability=${wrong}`)).toMatchObject({
        status: 422,
        body: { errors: [{ pointer: '#/query/capability' }] },
      })
  })

  it('tells a held heartbeat at once of what is cancelled, and of what it did not report', async () => {
    await register('held')
    const joined = await join('held')
    const [id, other] = [await submit('held'), await submit('held')]
    const tasks = await lease(joined, 2)
    const beat = (running: { taskId: string; fence: string }[], wait = 20) =>
      api.post(
        `/instances/${joined.instanceId}/heartbeat`,
        { running },
        { key: joined.token, headers: { prefer: `wait=${wait}` } },
      )
    const running = tasks.map(({ taskId, fence }: { taskId: string; fence: string }) => ({ taskId, fence }))
    const first = beat(running)
    await new Promise((resolve) => setTimeout(resolve, 100))
    const began = performance.now()
    await api.post(`/tasks/${id}/cancel`)
    expect(await first).toMatchObject({ status: 200, body: { cancel: [id], renewed: [other] } })
    expect(performance.now() - began).toBeLessThan(10_000)
    const second = beat([])
    await new Promise((resolve) => setTimeout(resolve, 100))
    await api.post(`/tasks/${other}/cancel`)
    expect((await second).body).toMatchObject({ cancel: [], again: true })
    const idle = await beat([], 1)
    expect(idle.headers.get('preference-applied')).toBe('wait=1')
    expect(idle.body.again).toBeUndefined()
  })

  it('does not bring an instance back that left while its heartbeat was held', async () => {
    await register('leaves')
    const joined = await join('leaves')
    const path = `/instances/${joined.instanceId}`
    const held = api.post(`${path}/heartbeat`, { running: [] }, { key: joined.token, headers: { prefer: 'wait=1' } })
    await new Promise((resolve) => setTimeout(resolve, 100))
    await api.request('DELETE', path, { key: joined.token })
    expect(await held).toMatchObject({ status: 200, body: { again: true } })
    const { items } = (await api.get('/agents/leaves/instances')).body
    expect(items).toMatchObject([{ state: 'OFFLINE', detail: 'LEFT' }])
    expect((await api.post(`${path}/heartbeat`, {})).status).toBe(404)
  })

  it('hands nothing out of an agent that is paused, and everything once it is resumed', async () => {
    await register('rests')
    const joined = await join('rests')
    const paused = await api.post('/agents/rests/pause', { reason: 'a deploy' })
    expect(paused).toMatchObject({ status: 200, body: { state: 'MAINTENANCE', detail: 'PAUSED' } })
    const id = await submit('rests')
    expect((await api.get(`/tasks/${id}/why`)).body).toMatchObject({ code: 'PAUSED', evidence: { agent: 'rests' } })
    expect(await lease(joined, 1, 0)).toEqual([])
    const claim = await api.post(`/instances/${joined.instanceId}/lease`, { taskIds: [id] }, { key: joined.token })
    expect(claim.body).toEqual({ tasks: [], retryAfterSeconds: 1 })
    const waiting = lease(joined, 1, 10)
    expect((await api.post('/agents/rests/resume')).body).toMatchObject({ detail: 'READY' })
    expect(await waiting).toMatchObject([{ taskId: id }])
    const { items } = (await api.get('/agents/rests/history')).body
    expect(items.slice(0, 2)).toMatchObject([
      { from: 'MAINTENANCE', to: 'ONLINE', reason: 'resumed' },
      { from: 'ONLINE', to: 'MAINTENANCE', detail: 'PAUSED', reason: 'a deploy' },
    ])
    const paged = []
    for (let cursor = ''; paged.length < 10; ) {
      const page = (await api.get(`/agents/rests/history?limit=1${cursor && `&cursor=${cursor}`}`)).body
      paged.push(...page.items)
      if (page.nextCursor === null) break
      cursor = page.nextCursor
    }
    expect(paged).toEqual(items)
    for (const wrong of ['limit=abc', 'limit=201', 'cursor=zzz', 'nonsense=1'])
      expect((await api.get(`/agents/rests/history?${wrong}`)).status).toBe(422)
  })

  it('hands nothing out that was submitted after the pause, to a call that had just begun either', async () => {
    await register('pauses')
    const joined = await join('pauses')
    const waiting = lease(joined, 1, 2)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect((await api.post('/agents/pauses/pause')).status).toBe(200)
    const id = await submit('pauses')
    expect(await waiting).toEqual([])
    expect((await api.get(`/tasks/${id}`)).body.status).toBe('QUEUED')
  })

  it('names what cannot be done to an agent, drains it, and brings it back', async () => {
    await register('moves')
    const joined = await join('moves')
    await register('fresh')
    expect(await api.post('/agents/fresh/drain')).toMatchObject({ status: 409, body: { code: 'CONFLICT' } })
    expect((await api.post('/agents/moves/drain')).body).toMatchObject({ state: 'OFFLINE', detail: 'DRAINING' })
    const beat = await api.post(`/instances/${joined.instanceId}/heartbeat`, {}, { key: joined.token })
    expect(beat.body.drain).toBe(true)
    const id = await submit('moves')
    expect((await api.get(`/tasks/${id}/why`)).body).toMatchObject({ code: 'VERSION_DRAINING' })
    const late = await join('moves')
    expect((await api.get('/agents/moves')).body).toMatchObject({ state: 'OFFLINE', detail: 'DRAINING' })
    expect(await lease(late, 1, 0)).toEqual([])
    expect((await api.post(`/instances/${late.instanceId}/heartbeat`, {}, { key: late.token })).body.drain).toBe(true)
    expect((await api.post('/agents/moves/activate')).body.detail).not.toBe('DRAINING')
    const fresh = await join('moves')
    expect(await lease(fresh)).toMatchObject([{ taskId: id }])
    expect((await api.post('/agents/moves/maintenance')).body).toMatchObject({ detail: 'UPDATING' })
    expect((await api.post(`/instances/${fresh.instanceId}/heartbeat`, {}, { key: fresh.token })).body.drain).toBe(true)
    const next = await submit('moves')
    expect((await api.get(`/tasks/${next}/why`)).body).toMatchObject({ code: 'MAINTENANCE' })
  })

  it('says what helps where an agent cannot be moved so', async () => {
    await register('idle')
    const refusal = async (operation: string) => (await api.post(`/agents/idle/${operation}`)).body.detail
    expect(await refusal('resume')).toBe(
      'agent idle is REGISTERED (PENDING) and cannot be resumed; it is in service already: where nothing of it runs, start an instance of it',
    )
    expect(await refusal('drain')).toContain('; no instance of it has joined yet: pause it')
    const joined = await join('idle')
    await api.request('DELETE', `/instances/${joined.instanceId}`, { key: joined.token })
    expect((await api.post('/agents/idle/resume')).body).toMatchObject({ state: 'OFFLINE', detail: 'STOPPED' })
    await api.post('/agents/idle/drain')
    expect(await refusal('resume')).toBe(
      'agent idle is OFFLINE (DRAINING) and cannot be resumed; activate it to bring it back into service',
    )
    await api.post('/agents/idle/activate')
    await api.post('/agents/idle/pause')
    expect(await refusal('activate')).toContain('cannot be activated; resume it')
  })

  it('keeps how many copies a person wants of an agent, or as many as it needs', async () => {
    await register('scaled')
    const scale = (instances: unknown) => api.post('/agents/scaled/scale', { instances })
    expect((await scale(2)).body.instances).toMatchObject({ wanted: 2 })
    expect((await api.get('/agents/scaled/history')).body.items[0]).toMatchObject({ reason: 'scaled to 2' })
    expect((await scale(null)).body.instances.wanted).toBeUndefined()
    expect(await scale(-1)).toMatchObject({ status: 422, body: { errors: [{ pointer: '#/instances' }] } })
  })
})
