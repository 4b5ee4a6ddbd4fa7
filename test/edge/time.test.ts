import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attend, sweep } from '#functions/sweep/sweep.ts'
import { dueBody } from '#shared/domain/dispatch/due.ts'
import { anApi, type TestApi } from '#test/support/api.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'

const clock = aSkewedClock()
let api: TestApi
beforeAll(async () => {
  api = await anApi({ clock })
})
afterAll(() => api.close())

const joinNew = async (name: string) => {
  await api.post('/agents', { name, capabilities: [{ name }] })
  return (await api.post('/instances', { agent: name })).body
}
const lease = async (joined: { instanceId: string; token: string }, wait = 1) =>
  (await api.post(`/instances/${joined.instanceId}/lease?wait=${wait}`, { max: 1 }, { key: joined.token })).body.tasks

describe('an instance that gives no sign of life', () => {
  it('loses what it held; the woken zombie is told so and changes nothing', async () => {
    const zombie = await joinNew('mortal')
    const { id } = (await api.post('/tasks', { capability: 'mortal' })).body
    const [first] = await lease(zombie)
    clock.forward(31_000)
    expect(await attend(api.platform, [dueBody('default', zombie.instanceId)])).toEqual([])
    const other = (await api.post('/instances', { agent: 'mortal' })).body
    const [second] = await lease(other, 5)
    expect(second).toMatchObject({ taskId: id, attempt: 2 })
    const late = await api.post(
      `/tasks/${id}/complete`,
      { fence: first.fence, result: 'zombie' },
      { key: zombie.token },
    )
    expect(late.body.code).toBe('STALE_FENCE')
    const beat = await api.post(
      `/instances/${zombie.instanceId}/heartbeat`,
      { running: [{ taskId: id, fence: first.fence }] },
      { key: zombie.token },
    )
    expect(beat.body).toMatchObject({ lost: [id], renewed: [] })
    expect((await api.get(`/agents/mortal/instances`)).body.items.map(({ state }: { state: string }) => state)).toEqual(
      ['ONLINE', 'ONLINE'],
    )
    await api.post(`/tasks/${id}/complete`, { fence: second.fence, result: 'living' }, { key: other.token })
    expect((await api.get(`/tasks/${id}/result`)).body).toBe('living')
    const { items } = (await api.get(`/tasks/${id}/attempts`)).body
    expect(items.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['LEASE_LOST', 'SUCCEEDED'])
  })

  it('keeps them as long as it does', async () => {
    const joined = await joinNew('alive')
    const { id } = (await api.post('/tasks', { capability: 'alive' })).body
    const [task] = await lease(joined)
    for (let round = 0; round < 3; round++) {
      clock.forward(20_000)
      await api.post(
        `/instances/${joined.instanceId}/heartbeat`,
        { running: [{ taskId: id, fence: task.fence }] },
        { key: joined.token },
      )
      await sweep(api.platform)
    }
    expect((await api.get(`/tasks/${id}`)).body).toMatchObject({ status: 'RUNNING', attempt: 1 })
  })
})

describe('the sweep', () => {
  it('times attempts out, and ends tasks at their deadline', async () => {
    const joined = await joinNew('slow')
    const one = (await api.post('/tasks', { capability: 'slow', timeoutSeconds: 5, retry: { attempts: 1 } })).body
    await lease(joined)
    const deadline = new Date(clock.now() + 10_000).toISOString()
    const two = (await api.post('/tasks', { capability: 'unheard-of', deadline })).body
    clock.forward(11_000)
    await sweep(api.platform)
    expect((await api.get(`/tasks/${one.id}`)).body.failure.code).toBe('TIMEOUT')
    expect((await api.get(`/tasks/${two.id}`)).body).toMatchObject({
      status: 'FAILED',
      failure: { code: 'NO_CAPABLE_AGENT' },
    })
  })

  it('starts what was submitted for later', async () => {
    const joined = await joinNew('later')
    const runAt = new Date(clock.now() + 3_600_000).toISOString()
    const { id, status } = (await api.post('/tasks', { capability: 'later', runAt })).body
    expect(status).toBe('SCHEDULED')
    expect(await lease(joined, 0)).toEqual([])
    clock.forward(3_600_001)
    await sweep(api.platform)
    expect((await lease(joined, 2))[0].taskId).toBe(id)
  })

  it('sends again what the queue lost', async () => {
    const joined = await joinNew('forgetful')
    const { id, agent } = (await api.post('/tasks', { capability: 'forgetful' })).body
    expect(agent).toBe('forgetful')
    const found = (await api.get('/agents/forgetful')).body.id
    const queue = `default.${found}.1.0.0.normal`
    const lost = await api.platform.queues.receive({ queues: [queue], max: 10, waitSeconds: 1 })
    await api.platform.queues.delete(lost)
    expect(await lease(joined, 0)).toEqual([])
    clock.forward(61_000)
    await api.post(`/instances/${joined.instanceId}/heartbeat`, {}, { key: joined.token })
    await sweep(api.platform)
    expect((await lease(joined, 2))[0].taskId).toBe(id)
  })
})

describe('server-sent events', () => {
  it('resume after Last-Event-ID and end with the task', async () => {
    const joined = await joinNew('streamer')
    const { id } = (await api.post('/tasks', { capability: 'streamer' })).body
    const [task] = await lease(joined)
    await api.post(
      `/tasks/${id}/progress`,
      { fence: task.fence, output: [{ chunk: 1 }, { chunk: 2 }] },
      { key: joined.token },
    )
    await api.post(`/tasks/${id}/complete`, { fence: task.fence, result: 0 }, { key: joined.token })
    const read = async (after: string) =>
      (await api.get(`/tasks/${id}/events`, { headers: { accept: 'text/event-stream', 'last-event-id': after } }))
        .body as string
    const ids = (text: string) => [...text.matchAll(/^id: (\d+)$/gm)].map(([, seq]) => Number(seq))
    expect(ids(await read('0'))).toEqual([1, 2, 3, 4, 5])
    const rest = await read('3')
    expect(ids(rest)).toEqual([4, 5])
    expect(rest).toContain('event: task.state\ndata: {"seq":5')
  })
})
