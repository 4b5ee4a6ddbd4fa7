import { expect, test, vi } from 'vitest'
import type { Write } from '#shared/platform/platform.ts'
import { anApi } from '../support/api.ts'

const isNewTask = (write: Write): boolean =>
  write.op === 'put' && write.item.type === 'task' && write.expect === 'absent'

test('a task whose row comes long after its message starts soon after the row', async () => {
  const api = await anApi()
  const { main } = api.platform
  const write = main.write
  vi.spyOn(main, 'write').mockImplementation(async (one) => {
    if (isNewTask(one)) await new Promise((resolve) => setTimeout(resolve, 400))
    return write(one)
  })
  await api.post('/agents', { name: 'slow', capabilities: [{ name: 'slow' }] })
  const { body: joined } = await api.post('/instances', { agent: 'slow', slots: 1 })
  const leasing = api.post(`/instances/${joined.instanceId}/lease?wait=5`, { max: 1 }, { key: joined.token })
  const { body: task } = await api.post('/tasks', { capability: 'slow' })
  expect((await leasing).body.tasks).toMatchObject([{ taskId: task.id }])
  await api.close()
})

test('a message without a row is not handed out for ever', async () => {
  const api = await anApi()
  await api.post('/agents', { name: 'lost', capabilities: [{ name: 'lost' }] })
  const { body: joined } = await api.post('/instances', { agent: 'lost', slots: 1 })
  const { receive } = api.platform.queues
  const lost = { queue: 'lost', body: 'tsk_00000000000000000000000000', receipt: '1.1', sentAt: 0 }
  const release = vi.spyOn(api.platform.queues, 'release')
  const remove = vi.spyOn(api.platform.queues, 'delete')
  const leaseOnce = async (receives: number): Promise<void> => {
    const left = [{ ...lost, receives }]
    vi.spyOn(api.platform.queues, 'receive').mockImplementation(async (asked) =>
      asked.receiver === joined.instanceId ? left.splice(0) : receive(asked),
    )
    await api.post(`/instances/${joined.instanceId}/lease`, { max: 1 }, { key: joined.token })
  }
  await leaseOnce(1)
  expect(release.mock.calls.flatMap(([messages]) => messages)).toMatchObject([{ body: lost.body }])
  await leaseOnce(5)
  expect(remove.mock.calls.flatMap(([messages]) => messages)).toMatchObject([{ body: lost.body }])
  await api.close()
})
