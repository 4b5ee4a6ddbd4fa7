import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anApi, anAwsApi, type TestApi } from '#test/support/api.ts'
import { dynoxideBinary } from '#test/support/aws-servers.ts'
import { until } from '#test/support/server-process.ts'

const hosts = [
  { host: 'the embedded host', open: anApi },
  ...(dynoxideBinary() === undefined ? [] : [{ host: 'AWS', open: anAwsApi }]),
]
if (hosts.length === 1) console.warn('left out on AWS: there is no dynoxide for this platform')

let api: TestApi

const register = (name: string, capability: string, more = {}) =>
  api.post('/agents', { name, capabilities: [{ name: capability }], ...more })
const join = async (agent: string, slots = 1) => (await api.post('/instances', { agent, slots })).body
const lease = async (joined: { instanceId: string; token: string }, max = 1, wait = 1) =>
  (await api.post(`/instances/${joined.instanceId}/lease?wait=${wait}`, { max }, { key: joined.token })).body.tasks

describe.each(hosts)('a task on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  it('goes from submit to its result, with events without a gap', async () => {
    expect((await register('echo', 'echo')).status).toBe(201)
    const joined = await join('echo')
    const submitted = await api.post('/tasks', { capability: 'echo', input: { a: 1 }, labels: { team: 'x' } })
    expect(submitted).toMatchObject({
      status: 202,
      body: { status: 'QUEUED', agent: 'echo', version: '1.0.0', attempt: 0, maxAttempts: 3 },
    })
    expect(submitted.headers.get('location')).toBe(`/api/v2/tasks/${submitted.body.id}`)
    const [task] = await lease(joined)
    expect(task).toMatchObject({
      taskId: submitted.body.id,
      attempt: 1,
      capability: 'echo',
      input: { a: 1 },
      leaseSeconds: 30,
    })
    const report = {
      fence: task.fence,
      percent: 50,
      message: 'half',
      output: [{ chunk: 'x' }, { chunk: { y: 1 } }],
      logs: [{ level: 'info', message: 'hi' }],
    }
    expect((await api.post(`/tasks/${task.taskId}/progress`, report, { key: joined.token })).status).toBe(202)
    const done = await api.post(
      `/tasks/${task.taskId}/complete`,
      { fence: task.fence, result: { ok: true }, usage: { tokens: 3 } },
      { key: joined.token },
    )
    expect(done).toMatchObject({
      status: 200,
      body: { status: 'SUCCEEDED', result: { ok: true }, cost: { tokens: 3 }, progress: { percent: 50 } },
    })
    expect((await api.get(`/tasks/${task.taskId}/result`)).body).toEqual({ ok: true })
    const events = await until(async () => {
      const { items } = (await api.get(`/tasks/${task.taskId}/events?limit=200`)).body
      return items.length === 7 ? items : undefined
    })
    expect(events.map(({ seq, type }: { seq: number; type: string }) => [seq, type])).toEqual([
      [1, 'task.state'],
      [2, 'task.state'],
      [3, 'task.progress'],
      [4, 'task.output'],
      [5, 'task.output'],
      [6, 'task.log'],
      [7, 'task.state'],
    ])
    expect(events.at(-1).data).toMatchObject({ status: 'SUCCEEDED', attempt: 1 })
    const attempts = (await api.get(`/tasks/${task.taskId}/attempts`)).body.items
    expect(attempts).toMatchObject([
      { attempt: 1, outcome: 'SUCCEEDED', fence: task.fence, instance: joined.instanceId },
    ])
  })

  it('is answered within Prefer: wait when it ends in time, and 202 when it does not', async () => {
    await register('quick', 'quick')
    const joined = await join('quick')
    const answer = api.post('/tasks', { capability: 'quick' }, { headers: { prefer: 'wait=10' } })
    const [task] = await lease(joined, 1, 5)
    await api.post(`/tasks/${task.taskId}/complete`, { fence: task.fence, result: 7 }, { key: joined.token })
    expect(await answer).toMatchObject({ status: 200, body: { status: 'SUCCEEDED', result: 7 } })
    const slow = await api.post('/tasks', { capability: 'quick' }, { headers: { prefer: 'wait=1' } })
    expect(slow.status).toBe(202)
  })

  it('waits for an agent that does not exist yet, and runs when it registers', async () => {
    const submitted = await api.post('/tasks', { capability: 'rare' })
    expect(submitted).toMatchObject({
      status: 202,
      body: { status: 'QUEUED', agent: null, blockedBy: { code: 'NO_CAPABLE_AGENT' } },
    })
    await register('late', 'rare')
    const joined = await join('late')
    const [task] = await lease(joined, 1, 5)
    expect(task.taskId).toBe(submitted.body.id)
  })

  it('fails an attempt, retries it, and answers a repeated call with what is stored', async () => {
    await register('flaky', 'flaky')
    const joined = await join('flaky')
    const { body } = await api.post('/tasks', { capability: 'flaky', retry: { attempts: 2, initialSeconds: 0.05 } })
    const [first] = await lease(joined)
    const failure = { fence: first.fence, code: 'AGENT_ERROR', message: 'boom', retryable: true }
    const failed = await api.post(`/tasks/${first.taskId}/fail`, failure, { key: joined.token })
    expect(failed).toMatchObject({ status: 200, body: { willRetry: true, nextAttemptAt: expect.any(String) } })
    expect((await api.post(`/tasks/${first.taskId}/fail`, failure, { key: joined.token })).body).toEqual(failed.body)
    const [second] = await lease(joined, 1, 5)
    expect(second).toMatchObject({ taskId: body.id, attempt: 2 })
    expect((await api.post(`/tasks/${first.taskId}/fail`, failure, { key: joined.token })).body).toEqual(failed.body)
    const last = await api.post(`/tasks/${body.id}/fail`, { ...failure, fence: second.fence }, { key: joined.token })
    expect(last.body).toEqual({ willRetry: false })
    expect((await api.get(`/tasks/${body.id}`)).body).toMatchObject({
      status: 'FAILED',
      failure: { code: 'AGENT_ERROR', message: 'boom' },
    })
    const path = `/tasks/${body.id}/attempts`
    const page = (await api.get(`${path}?limit=1`)).body
    expect(page.items).toMatchObject([{ attempt: 1 }])
    const rest = await api.get(`${path}?limit=1&cursor=${page.nextCursor}`)
    expect(rest.body).toMatchObject({ items: [{ attempt: 2 }], nextCursor: null })
    for (const wrong of ['limit=abc', 'limit=0', 'cursor=zzz'])
      expect((await api.get(`${path}?${wrong}`)).status).toBe(422)
  })

  it('is recorded once: stale fences change nothing, a repeated completion gets the stored answer', async () => {
    await register('once', 'once')
    const joined = await join('once')
    const { body } = await api.post('/tasks', { capability: 'once' })
    const [task] = await lease(joined)
    const path = `/tasks/${body.id}/complete`
    const stale = await api.post(path, { fence: '1.0', result: 'zombie' }, { key: joined.token })
    expect(stale).toMatchObject({ status: 409, body: { code: 'STALE_FENCE' } })
    const first = await api.post(path, { fence: task.fence, result: 'mine' }, { key: joined.token })
    const second = await api.post(path, { fence: task.fence, result: 'mine' }, { key: joined.token })
    expect(second).toMatchObject({ status: 200, body: first.body })
    expect((await api.post(path, { fence: task.fence, result: 'other' }, { key: joined.token })).body.code).toBe(
      'STALE_FENCE',
    )
    expect((await api.get(`/tasks/${body.id}/result`)).body).toBe('mine')
  })

  it('runs elsewhere when its instance leaves, and the old fence is worth nothing', async () => {
    await register('moving', 'moving')
    const [one, two] = [await join('moving'), await join('moving')]
    const { body } = await api.post('/tasks', { capability: 'moving' })
    const [first] = await lease(one)
    expect((await api.request('DELETE', `/instances/${one.instanceId}`, { key: one.token })).status).toBe(204)
    const [second] = await lease(two, 1, 5)
    expect(second).toMatchObject({ taskId: body.id, attempt: 2 })
    expect(second.fence).not.toBe(first.fence)
    expect((await api.post(`/tasks/${body.id}/complete`, { fence: first.fence, result: 1 })).body.code).toBe(
      'STALE_FENCE',
    )
    expect((await api.post(`/instances/${one.instanceId}/heartbeat`, {}, { key: one.token })).status).toBe(401)
  })

  it('is cancelled, and its holder is told', async () => {
    await register('slow', 'slow')
    const joined = await join('slow')
    const { body } = await api.post('/tasks', { capability: 'slow' })
    const [task] = await lease(joined)
    expect((await api.post(`/tasks/${body.id}/cancel`)).body).toMatchObject({ status: 'CANCELLED' })
    expect((await api.post(`/tasks/${body.id}/cancel`)).status).toBe(200)
    const beat = await api.post(
      `/instances/${joined.instanceId}/heartbeat`,
      { running: [{ taskId: body.id, fence: task.fence }] },
      { key: joined.token },
    )
    expect(beat.body).toMatchObject({ cancel: [body.id], lost: [], renewed: [], drain: false })
    expect(
      (await api.post(`/tasks/${body.id}/complete`, { fence: task.fence, result: 1 }, { key: joined.token })).body.code,
    ).toBe('STALE_FENCE')
  })

  it('keeps its idempotency key: same body same task, other body conflict', async () => {
    const headers = { 'idempotency-key': 'k-1' }
    const first = await api.post('/tasks', { capability: 'rare', input: { a: 1, b: 2 } }, { headers })
    const again = await api.post('/tasks', { capability: 'rare', input: { b: 2, a: 1 } }, { headers })
    expect(again.body.id).toBe(first.body.id)
    const other = await api.post('/tasks', { capability: 'rare', input: { a: 2 } }, { headers })
    expect(other).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_CONFLICT' } })
  })

  it('has an instance whose repeated join is the same instance with a token that works', async () => {
    await register('rejoin', 'rejoin')
    const joinWith = async (key: string) =>
      (await api.post('/instances', { agent: 'rejoin' }, { headers: { 'idempotency-key': key } })).body
    const [first, second] = [await joinWith('j-1'), await joinWith('j-1')]
    expect(second.instanceId).toBe(first.instanceId)
    expect((await api.post(`/instances/${first.instanceId}/heartbeat`, {}, { key: second.token })).status).toBe(200)
    expect((await api.get('/agents/rejoin/instances')).body.items).toHaveLength(1)
  })

  it('has instances in pages, newest first, and counts those alone that have not ended', async () => {
    await register('restless', 'restless')
    const all = []
    for (let n = 0; n < 5; n++) all.push(await join('restless'))
    for (const one of all.slice(0, 4)) await api.request('DELETE', `/instances/${one.instanceId}`, { key: one.token })
    const first = (await api.get('/agents/restless/instances?limit=3')).body
    const rest = (await api.get(`/agents/restless/instances?limit=3&cursor=${first.nextCursor}`)).body
    const ids = [...first.items, ...rest.items].map(({ id }: { id: string }) => id)
    expect(ids).toEqual(all.map(({ instanceId }) => instanceId).reverse())
    expect(rest.nextCursor).toBeNull()
    expect((await api.get('/agents/restless')).body).toMatchObject({ state: 'ONLINE', instances: { live: 1 } })
  })

  it('is handed on when its agent is decommissioned, or ends when nobody else can ever do it', async () => {
    await register('leaver', 'handed.on')
    await api.post('/agents', { name: 'mute' })
    const waiting = (await api.post('/tasks', { capability: 'handed.on' })).body
    const lonely = (await api.post('/tasks', { agent: 'mute' })).body
    for (const name of ['leaver', 'mute']) expect((await api.request('DELETE', `/agents/${name}`)).status).toBe(204)
    const blocked = await until(
      async () => {
        const { body } = await api.get(`/tasks/${waiting.id}`)
        return body.blockedBy && body
      },
      { what: 'the hand-on' },
    )
    expect(blocked).toMatchObject({ status: 'QUEUED', blockedBy: { code: 'NO_CAPABLE_AGENT' } })
    await until(async () => (await api.get(`/tasks/${lonely.id}`)).body.failure?.code === 'NO_CAPABLE_AGENT')
    await register('heir', 'handed.on')
    const heir = await join('heir')
    const [task] = await until(
      async () => {
        const tasks = await lease(heir)
        return tasks.length > 0 && tasks
      },
      { what: 'the lease' },
    )
    expect(task.taskId).toBe(waiting.id)
  })

  it('keeps bodies of every size', async () => {
    await register('big', 'big')
    const joined = await join('big')
    for (const size of [100, 2000, 20_000, 200_000]) {
      const text = 'x'.repeat(size)
      const { body } = await api.post('/tasks', { capability: 'big', input: { text } })
      const [task] = await lease(joined)
      expect(task.input).toEqual({ text })
      await api.post(`/tasks/${body.id}/complete`, { fence: task.fence, result: { text } }, { key: joined.token })
      const shown = (await api.get(`/tasks/${body.id}`)).body
      expect(size > 32 * 1024 ? shown.resultRef : shown.result).toBeDefined()
      expect((await api.get(`/tasks/${body.id}/result`)).body).toEqual({ text })
    }
  })
})
