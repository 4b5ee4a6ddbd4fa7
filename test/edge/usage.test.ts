import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Task } from '#shared/domain/tasks/task.ts'
import { countUsage } from '#shared/domain/usage/count-usage.ts'
import type { Change, Stored } from '#shared/platform/platform.ts'
import type { TestApi } from '#test/support/api.ts'
import { apiHosts } from '#test/support/api-hosts.ts'
import { aTask } from '#test/support/builders.ts'
import { eventually } from '#test/support/eventually.ts'
import { until } from '#test/support/server-process.ts'

let api: TestApi
type Joined = { instanceId: string; token: string }

const join = async (agent: string): Promise<Joined> => {
  await api.post('/agents', { name: agent, capabilities: [{ name: agent }] })
  return (await api.post('/instances', { agent, slots: 9 })).body
}
const run = async ({ instanceId, token }: Joined, capability: string, usage: object): Promise<string> => {
  const { id } = (await api.post('/tasks', { capability })).body
  const { tasks } = (await api.post(`/instances/${instanceId}/lease`, { taskIds: [id] }, { key: token })).body
  await api.post(`/tasks/${id}/complete`, { fence: tasks[0].fence, result: 1, usage }, { key: token })
  return id
}
const usage = async (query: string) => (await api.get(`/usage?${query}`)).body
const counted = (tasks: number) =>
  until(async () => {
    const report = await usage('by=tenant')
    return report.totals.tasks === tasks && report
  })

const ended = (n: number): Change => {
  const at = Date.parse('2026-03-05T12:00:00Z')
  const change: Partial<Task> = {
    id: `tsk_0000000000000000000000${String(n).padStart(4, '0')}`,
    tenant: 'counted',
    status: 'SUCCEEDED',
    transition: { seq: 2, to: 'SUCCEEDED', at },
    usage: { tokens: n, cost: 0.1 },
    ranSeconds: 2,
    attempt: 1,
  }
  const task = aTask(change)
  const key = { pk: `counted#task#${task.id}`, sk: 'head' }
  return { id: `change-${n}`, key, type: 'task', after: { ...key, type: 'task', value: task, rev: 'r' } as Stored }
}

describe.each(apiHosts)('usage on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  it('is told by tenant, agent, day and task, with totals', async () => {
    const [one, two] = [await join('one'), await join('two')]
    await api.request('PATCH', '/limits', { body: { prices: { default: 3600 } } })
    const id = await run(one, 'one', { tokens: 10, cost: 0.5 })
    await run(one, 'one', { tokens: 20 })
    await run(two, 'two', { cost: 0.25 })
    const report = await counted(3)
    expect(report.totals).toMatchObject({ tasks: 3, succeeded: 3, failed: 0, attempts: 3, tokens: 30, cost: 0.75 })
    expect(report.totals.compute).toBeCloseTo(report.totals.seconds, 3)
    const byAgent = await usage('by=agent')
    expect(byAgent.items).toMatchObject([
      { key: 'one', tasks: 2, tokens: 30, cost: 0.5 },
      { key: 'two', tasks: 1, tokens: 0, cost: 0.25 },
    ])
    const today = new Date().toISOString().slice(0, 10)
    expect((await usage(`by=day&since=${today}`)).items).toMatchObject([{ key: today, tasks: 3 }])
    expect((await usage('by=day&since=2020-01-01&until=2020-03-01')).totals.tasks).toBe(0)
    const byTask = await usage('by=task&limit=2')
    expect(byTask.items).toHaveLength(2)
    const rest = await usage(`by=task&limit=2&cursor=${encodeURIComponent(byTask.nextCursor)}`)
    expect(rest.items).toMatchObject([{ key: id, tasks: 1, tokens: 10, cost: 0.5 }])
    expect((await api.get('/usage?since=2020-01-01&until=2026-01-01')).status).toBe(422)
  })

  it('of what nobody was there to do has a row with a name of its own', async () => {
    const key = await api.keyOf('lonely')
    const { id } = (await api.post('/tasks', { capability: 'nobody' }, { key })).body
    await api.post(`/tasks/${id}/cancel`, {}, { key })
    await eventually(async () =>
      expect((await api.get('/usage?by=agent', { key })).body.items).toMatchObject([{ key: '(no agent)', tasks: 1 }]),
    )
  })

  it('of a task has a row for each attempt, with the cost of its time', async () => {
    const joined = await join('ledger')
    const id = await run(joined, 'ledger', { tokens: 3, cost: 0.1 })
    const { body } = await api.get(`/tasks/${id}/usage`)
    expect(body.attempts).toMatchObject([{ attempt: 1, outcome: 'SUCCEEDED', usage: { tokens: 3, cost: 0.1 } }])
    expect(body.totals).toMatchObject({ tokens: 3, cost: 0.1, seconds: expect.any(Number) })
    expect(body.totals.compute).toBeCloseTo(body.totals.seconds, 3)
  })

  it('of a task that runs has what it reported so far', async () => {
    const { instanceId, token } = await join('reporter')
    const { id } = (await api.post('/tasks', { capability: 'reporter' })).body
    const { tasks } = (await api.post(`/instances/${instanceId}/lease`, { taskIds: [id] }, { key: token })).body
    await api.post(`/tasks/${id}/progress`, { fence: tasks[0].fence, usage: { tokens: 5 } }, { key: token })
    const { body } = await api.get(`/tasks/${id}/usage`)
    expect([body.attempts[0], body.totals]).toMatchObject([{ outcome: 'RUNNING', usage: { tokens: 5 } }, { tokens: 5 }])
    await api.post(`/tasks/${id}/cancel`)
  })

  it('counts each task once, however often and in whatever batches its end is told', async () => {
    const changes = Array.from({ length: 60 }, (_, n) => ended(n))
    const batches = [changes.slice(0, 40), changes.slice(20), changes, [changes[7], changes[7]] as Change[]]
    for (const failed of await Promise.all(batches.map((batch) => countUsage(api.platform, batch))))
      expect(failed).toEqual([])
    const key = await api.keyOf('counted')
    const { totals } = (await api.get('/usage?by=tenant&since=2026-03-05&until=2026-03-05', { key })).body
    expect(totals).toMatchObject({ tasks: 60, tokens: 1770, cost: 6, seconds: 120, attempts: 60 })
  })
})
