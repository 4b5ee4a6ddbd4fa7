import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sweep } from '#functions/sweep/sweep.ts'
import { renewAfterOutage } from '#shared/domain/dispatch/rebuild-queues.ts'
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
})
