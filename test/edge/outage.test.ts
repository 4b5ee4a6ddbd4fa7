import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sweep } from '#functions/sweep/sweep.ts'
import { laneQueues } from '#shared/domain/dispatch/lanes.ts'
import { renewAfterOutage } from '#shared/domain/dispatch/rebuild-queues.ts'
import { findTask } from '#shared/domain/tasks/task-store.ts'
import { anApi, type TestApi } from '#test/support/api.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'

const clock = aSkewedClock()
let api: TestApi

describe('after outages of the platform', () => {
  beforeAll(async () => {
    api = await anApi({ clock })
  })
  afterAll(() => api?.close())

  it('an instance has a full lease to give a sign of life, once: the dead lose their tasks however often it starts', async () => {
    await api.post('/agents', { name: 'out', capabilities: [{ name: 'out' }] })
    const join = async () => (await api.post('/instances', { agent: 'out', slots: 1 })).body
    const [alive, dead] = [await join(), await join()]
    const held: string[] = []
    for (const { instanceId, token } of [alive, dead]) {
      const { id } = (await api.post('/tasks', { capability: 'out' })).body
      await api.post(`/instances/${instanceId}/lease?wait=1`, { taskIds: [id] }, { key: token })
      held.push(id)
    }
    const status = async (at: number) => (await api.get(`/tasks/${held[at]}`)).body.status
    clock.forward(60_000) // nobody could be heard
    for (let start = 0; start < 3; start++) {
      await renewAfterOutage(api.platform, 'default')
      await sweep(api.platform)
      expect(await status(0)).toBe('RUNNING')
      await api.post(`/instances/${alive.instanceId}/heartbeat`, {}, { key: alive.token })
      if (start === 0) expect(await status(1)).toBe('RUNNING')
      clock.forward(20_000)
    }
    await sweep(api.platform)
    expect(await status(0)).toBe('RUNNING')
    expect(await status(1)).toBe('QUEUED')
  })

  it('a fence of before a restore is refused, told of as lost, and its task runs again under a new one', async () => {
    await api.post('/agents', { name: 'back', capabilities: [{ name: 'back' }] })
    const { instanceId, token } = (await api.post('/instances', { agent: 'back', slots: 2 })).body
    const ask = (path: string, body: object) => api.post(`/instances/${instanceId}${path}`, body, { key: token })
    const { id } = (await api.post('/tasks', { capability: 'back' })).body
    const lease = async () => (await ask('/lease?wait=1', { taskIds: [id] })).body.tasks
    const [{ fence }] = await lease()
    api.platform.generation++ // as a restore does
    const writes: [string, object][] = [
      ['progress', { fence, percent: 10 }],
      ['fail', { fence, code: 'BOOM', message: 'no' }],
      ['wait', { fence, kind: 'input', prompt: 'well?' }],
      ['complete', { fence, result: 1 }],
    ]
    const write = (what: string, body: object) => api.post(`/tasks/${id}/${what}`, body, { key: token })
    for (const [what, body] of writes) expect((await write(what, body)).body).toMatchObject({ code: 'STALE_FENCE' })
    expect((await ask('/heartbeat', { running: [{ taskId: id, fence }] })).body).toMatchObject({ lost: [id] })
    expect(await lease()).toEqual([])
    clock.forward(61_000)
    await ask('/heartbeat', {})
    await sweep(api.platform)
    expect((await api.get(`/tasks/${id}`)).body.status).toBe('QUEUED')
    const [again] = await lease()
    expect(again.fence).toBe(`${api.platform.generation}.2`)
    const done = await write('complete', { fence: again.fence, result: 1 })
    expect(done.body).toMatchObject({ status: 'SUCCEEDED' })
  })

  it('a task that its queue lost is sent again within a minute while its lane is empty', async () => {
    await api.post('/agents', { name: 'gone', capabilities: [{ name: 'gone' }] })
    const { instanceId, token } = (await api.post('/instances', { agent: 'gone', slots: 1 })).body
    const lease = async () => (await api.post(`/instances/${instanceId}/lease`, { max: 1 }, { key: token })).body.tasks
    const { id } = (await api.post('/tasks', { capability: 'gone' })).body
    const target = (await findTask(api.platform, 'default', id))?.value.target
    const names = target ? laneQueues('default', target).map(({ queue }) => queue) : []
    const lose = async () => {
      const lost = await api.platform.queues.receive({ queues: names, max: 9, waitSeconds: 0 })
      await api.platform.queues.delete(lost)
      return lost.length
    }
    expect(await lose()).toBe(1)
    for (let minute = 0; minute < 3; minute++) {
      expect(await lease()).toEqual([])
      clock.forward(60_000)
      await sweep(api.platform)
      if (minute < 2) expect(await lose()).toBe(1)
    }
    expect(await lease()).toMatchObject([{ taskId: id }])
  })
})
