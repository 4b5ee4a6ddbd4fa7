import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attend } from '#functions/sweep/sweep.ts'
import { dueQueue } from '#shared/domain/dispatch/due.ts'
import { endChildren } from '#shared/domain/tasks/cancel-children.ts'
import type { Task } from '#shared/domain/tasks/task.ts'
import { createTask, findTask } from '#shared/domain/tasks/task-store.ts'
import type { Platform, QueueMessage } from '#shared/platform/platform.ts'
import { aTask } from '#test/support/builders.ts'
import { aPlatform } from '#test/support/embedded.ts'

let opened: Awaited<ReturnType<typeof aPlatform>>
beforeAll(async () => {
  opened = await aPlatform()
})
afterAll(() => opened.close())

/** A parent that has ended, and a child that is due long after. */
const aFamily = async (name: string, change: Partial<Task>) => {
  const { platform } = opened
  const parent = aTask({ id: `tsk_${name}`, epoch: 1, dueAt: undefined, ...change })
  const child = aTask({ id: `tsk_${name}_child`, parent: parent.id, status: 'SCHEDULED', dueAt: 9e14, deadline: 9e15 })
  for (const task of [parent, child]) await createTask(platform, task, [])
  const status = async () => (await findTask(platform, child.tenant, child.id))?.value.status
  return { platform, parent, status }
}

/** A host whose index does not show the child yet; `sent` are its messages. */
const lagging = (platform: Platform) => {
  const sent: (QueueMessage & { queue: string })[] = []
  const main = { ...platform.main, query: async () => ({ items: [] }) }
  const send = async (queue: string, messages: QueueMessage[]) =>
    void sent.push(...messages.map((message) => ({ ...message, queue })))
  return { ports: { ...platform, main, queues: { ...platform.queues, send } }, sent }
}

describe('the end of a parent', () => {
  it('ends what it called, also what the index showed only a little later', async () => {
    const { platform, parent, status } = await aFamily('late', { status: 'FAILED' })
    const { ports, sent } = lagging(platform)
    await endChildren(ports, parent)
    expect(await status()).toBe('SCHEDULED')
    expect(sent).toMatchObject([{ queue: dueQueue, delaySeconds: expect.closeTo(10, 0) }])
    expect(await attend(platform, [sent[0]?.body ?? ''])).toEqual([])
    expect(await status()).toBe('CANCELLED')
  })

  it('looks once alone when the parent never ran, and leaves the children of one that succeeded', async () => {
    const never = await aFamily('never', { status: 'CANCELLED', epoch: 0 })
    const { ports, sent } = lagging(never.platform)
    await endChildren(ports, never.parent)
    const done = await aFamily('done', { status: 'SUCCEEDED' })
    await endChildren(done.platform, done.parent)
    await attend(done.platform, [`${done.parent.tenant} ${done.parent.id}`])
    expect(sent).toEqual([])
    expect(await done.status()).toBe('SCHEDULED')
  })
})
