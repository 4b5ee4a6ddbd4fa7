import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sweep } from '#functions/sweep/sweep.ts'
import { anApi, type TestApi } from '#test/support/api.ts'
import { apiHosts } from '#test/support/api-hosts.ts'
import { runningTasks } from '#test/support/running-tasks.ts'
import { until } from '#test/support/server-process.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'

let api: TestApi
const { joinAs, lease, running } = runningTasks(() => api)

const ask = { kind: 'input', prompt: 'which branch?', checkpoint: { step: 2 } }
const taskOf = async (id: string) => (await api.get(`/tasks/${id}`)).body

describe.each(apiHosts)('a task that waits for input on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  it('frees its instance, and goes on elsewhere with the answer and its checkpoint as the same attempt', async () => {
    const { id, task, joined, call } = await running('ask.one')
    const waiting = await call('wait', ask)
    expect(waiting).toMatchObject({
      status: 200,
      body: { status: 'WAITING', attempt: 1, waiting: { kind: 'input', prompt: 'which branch?' } },
    })
    expect((await call('complete', { result: 1 })).body.code).toBe('STALE_FENCE')
    await api.request('DELETE', `/instances/${joined.instanceId}`, { key: joined.token })
    const other = await joinAs('ask.one')
    const answered = await api.post(`/tasks/${id}/input`, { response: { branch: 'main' } })
    expect(answered).toMatchObject({ status: 200, body: { status: 'QUEUED' } })
    expect(answered.body.waiting).toBeUndefined()
    const again = await lease(other)
    expect(again).toMatchObject({
      taskId: id,
      attempt: 1,
      checkpoint: { step: 2 },
      resume: { kind: 'input', response: { branch: 'main' }, by: expect.stringMatching(/^key:/) },
    })
    expect(again.fence).not.toBe(task.fence)
    const done = await api.post(`/tasks/${id}/complete`, { fence: again.fence, result: 1 }, { key: other.token })
    expect(done.body).toMatchObject({ status: 'SUCCEEDED', attempt: 1 })
  })

  it('answers a repeated wait with the task as it is, and refuses another one', async () => {
    const { id, call } = await running('ask.twice')
    await call('wait', ask)
    expect((await call('wait', ask)).body.status).toBe('WAITING')
    expect((await call('wait', { ...ask, prompt: 'and now?' })).body.code).toBe('STALE_FENCE')
    await api.post(`/tasks/${id}/input`, { response: 1 })
    expect(await call('wait', ask)).toMatchObject({ status: 200, body: { status: 'QUEUED' } })
  })

  it('takes one answer: the same under its key again, no other, and none when it does not wait', async () => {
    const { id, call } = await running('ask.key')
    const answer = (response: unknown, key?: string) =>
      api.post(`/tasks/${id}/input`, { response }, { headers: key === undefined ? {} : { 'idempotency-key': key } })
    expect(await answer('a', 'k1')).toMatchObject({ status: 409, body: { code: 'NOT_WAITING' } })
    await call('wait', ask)
    expect((await answer('a', 'k1')).status).toBe(200)
    expect((await answer('a', 'k1')).status).toBe(200)
    expect(await answer('b', 'k1')).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_CONFLICT' } })
    expect(await answer('a')).toMatchObject({ status: 409, body: { code: 'NOT_WAITING' } })
  })

  it('takes an answer for the question that was there when it came, and for no later one', async () => {
    const { id, call, joined } = await running('ask.late')
    await call('wait', ask)
    const { main } = api.platform
    const transact = main.transact
    main.transact = async (writes) => {
      main.transact = transact
      await api.post(`/tasks/${id}/input`, { response: 'first' })
      const { fence } = await lease(joined)
      await api.post(`/tasks/${id}/wait`, { ...ask, prompt: 'another?', fence }, { key: joined.token })
      return main.transact(writes)
    }
    const late = await api.post(`/tasks/${id}/input`, { response: 'late' }, { headers: { 'idempotency-key': 'late' } })
    expect(late).toMatchObject({ status: 409, body: { code: 'NOT_WAITING' } })
    expect(late.body.detail).toContain('asks something else by now')
    expect((await taskOf(id)).waiting.prompt).toBe('another?')
  })

  it('keeps a long prompt and a large answer', async () => {
    const { id, call, joined } = await running('ask.large')
    const prompt = { text: 'p'.repeat(20_000) }
    expect((await call('wait', { kind: 'input', prompt })).body.waiting.prompt).toEqual(prompt)
    expect((await taskOf(id)).waiting.prompt).toEqual(prompt)
    expect((await api.get(`/tasks/${id}/why`)).body.code).toBe('WAITING_FOR_INPUT')
    const response = 'r'.repeat(100_000)
    await api.post(`/tasks/${id}/input`, { response })
    expect((await lease(joined)).resume.response).toBe(response)
  })

  it('can be cancelled', async () => {
    const { id, call } = await running('ask.cancel')
    await call('wait', ask)
    expect((await api.post(`/tasks/${id}/cancel`)).body).toMatchObject({ status: 'CANCELLED' })
    expect((await api.post(`/tasks/${id}/input`, { response: 1 })).body.code).toBe('NOT_WAITING')
  })

  it.each([
    ['no prompt', { kind: 'input' }, '#/prompt'],
    ['another kind', { kind: 'magic', prompt: 'x' }, '#/kind'],
    ['a prompt that is too long', { kind: 'input', prompt: 'x'.repeat(40_000) }, '#/prompt'],
    ['terms of an approval', { kind: 'input', prompt: 'x', quorum: 2 }, '#/quorum'],
    [
      'a quorum of more than are named',
      { kind: 'approval', prompt: 'x', approvers: ['a', 'a'], quorum: 2 },
      '#/quorum',
    ],
    [
      'nobody to escalate to',
      { kind: 'approval', prompt: 'x', escalateAfterSeconds: 1, escalateTo: [] },
      '#/escalateTo',
    ],
    ['no time to escalate at', { kind: 'approval', prompt: 'x', escalateTo: ['boss'] }, '#/escalateAfterSeconds'],
    [
      'an escalation after its end',
      { kind: 'approval', prompt: 'x', escalateAfterSeconds: 5, escalateTo: ['boss'], expiresInSeconds: 5 },
      '#/escalateAfterSeconds',
    ],
    [
      'an escalation after its end by default',
      { kind: 'approval', prompt: 'x', escalateAfterSeconds: 604_800, escalateTo: ['boss'] },
      '#/escalateAfterSeconds',
    ],
    ['an approver of white space', { kind: 'approval', prompt: 'x', approvers: ['ann', ' \t'] }, '#/approvers/1'],
  ])('refuses a wait with %s', async (_, body, pointer) => {
    const refused = await api.post('/tasks/tsk_00000000000000000000000000/wait', { fence: '1.1', ...body })
    expect(refused).toMatchObject({ status: 422, body: { errors: [{ pointer }] } })
  })
})

describe('time and a waiting task', () => {
  const clock = aSkewedClock()
  const hour = 3_600_000
  beforeAll(async () => {
    api = await anApi({ clock })
  })
  afterAll(() => api?.close())
  const pass = async (ms: number) => {
    clock.forward(ms)
    await sweep(api.platform)
  }

  it('fails with TIMEOUT when nobody answers until the wait expires', async () => {
    const { id, call } = await running('late.answer')
    await call('wait', { ...ask, expiresInSeconds: 60 })
    await pass(59_000)
    expect((await taskOf(id)).status).toBe('WAITING')
    await pass(2000)
    const { failure } = await until(async () => (await taskOf(id)).failure && taskOf(id))
    expect(failure).toEqual({ code: 'TIMEOUT', message: 'nobody gave its input within 60 s', retryable: false })
  })

  it('takes no answer from its expiry on, also where nobody has looked at it since', async () => {
    const { id, call } = await running('no.late.answer')
    await call('wait', { ...ask, expiresInSeconds: 60 })
    clock.forward(60_001)
    const late = await api.post(`/tasks/${id}/input`, { response: 1 })
    expect(late).toMatchObject({ status: 409, body: { code: 'NOT_WAITING' } })
    expect(late.body.detail).toContain('waited for its input until')
  })

  it('outlives the deadline that nobody gave, which moves with the wait', async () => {
    const { id, call } = await running('long.wait', { timeoutSeconds: 600_000 })
    const before = Date.parse((await taskOf(id)).deadline)
    await call('wait', ask)
    await pass(30 * hour)
    expect((await taskOf(id)).status).toBe('WAITING')
    await api.post(`/tasks/${id}/input`, { response: 'late' })
    const after = Date.parse((await taskOf(id)).deadline)
    expect(Math.abs(after - before - 30 * hour)).toBeLessThan(5000)
    expect((await lease(await joinAs('long.wait'))).resume.response).toBe('late')
  })

  it('ends at the deadline that its submitter gave', async () => {
    const deadline = new Date(clock.now() + hour).toISOString()
    const { id, call } = await running('given.deadline', { deadline })
    const { body } = await call('wait', { ...ask, expiresInSeconds: 7200 })
    expect(body.waiting.expiresAt).toBe(deadline)
    await pass(hour + 1000)
    await until(async () => (await taskOf(id)).failure?.code === 'DEADLINE')
  })

  it('counts what ran before the wait, and not the wait, against the time-out', async () => {
    const { id, call, joined } = await running('paused.time', { timeoutSeconds: 100 })
    clock.forward(60_000)
    await call('wait', ask)
    await pass(hour)
    await api.post(`/tasks/${id}/input`, { response: 1 })
    await api.post(`/instances/${joined.instanceId}/heartbeat`, {}, { key: joined.token })
    const { fence } = await lease(joined)
    clock.forward(39_000)
    const report = await api.post(`/tasks/${id}/progress`, { fence, percent: 1 }, { key: joined.token })
    expect(report.status).toBe(202)
    await pass(2000)
    await until(async () => (await taskOf(id)).failure?.code === 'TIMEOUT')
  })
})
