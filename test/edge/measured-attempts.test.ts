import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TestApi } from '#test/support/api.ts'
import { apiHosts } from '#test/support/api-hosts.ts'

let api: TestApi
type Joined = { instanceId: string; token: string }
type Held = { taskId: string; fence: string }

const join = async (agent: string): Promise<Joined> => {
  await api.post('/agents', { name: agent, capabilities: [{ name: agent }] })
  return (await api.post('/instances', { agent, slots: 9 })).body
}
const lease = async ({ instanceId, token }: Joined): Promise<Held> =>
  (await api.post(`/instances/${instanceId}/lease?wait=20`, { max: 1 }, { key: token })).body.tasks[0]
const leased = async (joined: Joined, capability: string, more = {}): Promise<Held> => {
  await api.post('/tasks', { capability, ...more })
  return lease(joined)
}
const measure = ({ token }: Pick<Joined, 'token'>, { taskId, fence }: Held, body: object) =>
  api.request('PUT', `/tasks/${taskId}/attempts/${fence}/usage`, { key: token, body })
const progress = ({ token }: Joined, { taskId, fence }: Held, usage: object) =>
  api.post(`/tasks/${taskId}/progress`, { fence, usage }, { key: token })
const rowsOf = async (id: string) => (await api.get(`/tasks/${id}/usage`)).body.attempts
const costOf = async (id: string) => (await api.get(`/tasks/${id}`)).body.cost

describe.each(apiHosts)('what an attempt that was ended had used, on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  it('is on the attempt, in the ledger and on the task, once, and leaves the state alone', async () => {
    const joined = await join('cancelled')
    const task = await leased(joined, 'cancelled')
    const { taskId } = task
    await progress(joined, task, { tokens: 5, cpuSeconds: 1 })
    const ended = (await api.post(`/tasks/${taskId}/cancel`)).body
    const measured = { cpuSeconds: 2.5, peakMemoryMb: 180, bytesWritten: 4096 }
    const usage = { tokens: 5, ...measured }
    for (let times = 0; times < 2; times++) {
      const answer = await measure(joined, task, measured)
      expect(answer).toMatchObject({ status: 200, body: { attempt: 1, outcome: 'CANCELLED', usage } })
      expect((await api.get(`/tasks/${taskId}/attempts`)).body.items).toEqual([answer.body])
      expect(await rowsOf(taskId)).toMatchObject([{ outcome: 'CANCELLED', usage }])
    }
    expect((await api.get(`/tasks/${taskId}`)).body).toEqual({ ...ended, cost: usage })
  })

  it('is replaced by what is told later, and takes nothing away', async () => {
    const joined = await join('replaced')
    const task = await leased(joined, 'replaced')
    await api.post(`/tasks/${task.taskId}/cancel`)
    await Promise.all([3, 1, 2].map((cpuSeconds) => measure(joined, task, { cpuSeconds })))
    await measure(joined, task, { bytesWritten: 7 })
    expect(await costOf(task.taskId)).toEqual({ cpuSeconds: 3, bytesWritten: 7 })
    expect(await rowsOf(task.taskId)).toMatchObject([{ usage: { cpuSeconds: 3, bytesWritten: 7 } }])
  })

  it('is none of what the next attempt uses', async () => {
    const joined = await join('retried')
    const first = await leased(joined, 'retried', { retry: { initialSeconds: 0 } })
    const { taskId, fence } = first
    await api.post(`/tasks/${taskId}/fail`, { fence, code: 'X', message: 'x', retryable: true }, { key: joined.token })
    const second = await lease(joined)
    expect(await measure(joined, first, { cpuSeconds: 4 })).toMatchObject({ status: 200 })
    const completion = { fence: second.fence, result: 1, usage: { cpuSeconds: 1 } }
    expect(await api.post(`/tasks/${taskId}/complete`, completion, { key: joined.token })).toMatchObject({
      status: 200,
    })
    expect(await rowsOf(taskId)).toMatchObject([
      { outcome: 'X', usage: { cpuSeconds: 4 } },
      { outcome: 'SUCCEEDED', usage: { cpuSeconds: 1 } },
    ])
    await measure(joined, first, { cpuSeconds: 6 })
    expect(await costOf(taskId)).toEqual({ cpuSeconds: 7 })
  })

  it('is told by its holder, after its end, of what is measured', async () => {
    const [joined, other] = [await join('holder'), await join('other')]
    const task = await leased(joined, 'holder')
    expect(await measure(joined, task, { cpuSeconds: 1 })).toMatchObject({ status: 409, body: { code: 'CONFLICT' } })
    await api.post(`/tasks/${task.taskId}/cancel`)
    const missing = { status: 404, body: { code: 'NOT_FOUND' } }
    expect(await measure(other, task, { cpuSeconds: 1 })).toMatchObject(missing)
    expect(await measure(joined, { ...task, fence: '9.9' }, { cpuSeconds: 1 })).toMatchObject(missing)
    expect(await measure(joined, { ...task, taskId: 'tsk_1' }, { cpuSeconds: 1 })).toMatchObject(missing)
    expect(await measure(joined, task, { tokens: 1 })).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '#/tokens', code: 'UNKNOWN_FIELD' }] },
    })
    expect(await costOf(task.taskId)).toBeUndefined()
    expect(await measure({ token: api.apiKey }, task, { cpuSeconds: 1 })).toMatchObject({ status: 200 })
  })
})
