import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { getInstance } from '#shared/domain/instances/instance-store.ts'
import { takeOver } from '#shared/domain/tasks/take-over.ts'
import { findTask } from '#shared/domain/tasks/task-store.ts'
import type { TestApi } from '#test/support/api.ts'
import { apiHosts } from '#test/support/api-hosts.ts'
import { until } from '#test/support/server-process.ts'
import { type Joined, type Leased, taskCalls } from '#test/support/task-calls.ts'

let api: TestApi
describe.each(apiHosts)('a low task that requires labels of instances, on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  const labels = { gpu: 'a' }
  const leased = (joined: Joined): Promise<Leased> =>
    until(async () => (await taskCalls(api).lease(joined, 1, 1))[0], { seconds: 20, what: 'the lease' })
  const placeOf = async ({ id }: { id: string }) => (await findTask(api.platform, 'default', id))?.value.pinnedTo

  it('goes to an idle instance from one whose free slot is kept for higher lanes', async () => {
    const { register, join, submit } = taskCalls(api)
    await register('carver')
    const low = { agent: 'carver', priority: 'low', requirements: { labels } }
    const first = await join('carver', 2, labels)
    await submit(low)
    await leased(first)
    const waiting = await submit(low)
    expect((await api.get(`/tasks/${waiting.id}/why`)).body).toMatchObject({ code: 'ALL_SLOTS_BUSY' })
    const second = await join('carver', 2, labels)
    expect((await leased(second)).taskId).toBe(waiting.id)
  })

  it('stays where it waits while the free slot of another one is kept for higher lanes', async () => {
    const { register, join, submit } = taskCalls(api)
    await register('turner')
    const low = { agent: 'turner', priority: 'low', requirements: { labels } }
    const narrow = await join('turner', 1, labels)
    await submit(low)
    await leased(narrow)
    const wide = await join('turner', 2, labels)
    await submit({ agent: 'turner' })
    const { taskId, fence } = await leased(wide)
    await api.post(`/instances/${wide.instanceId}/heartbeat`, { running: [{ taskId, fence }] }, { key: wide.token })
    const waiting = await submit(low)
    expect(await placeOf(waiting)).toBe(narrow.instanceId)
    await takeOver(api.platform, (await getInstance(api.platform, 'default', wide.instanceId)).value)
    expect(await placeOf(waiting)).toBe(narrow.instanceId)
  })
})
