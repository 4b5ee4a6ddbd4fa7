import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Caller } from '#shared/domain/caller.ts'
import { cancelTasks } from '#shared/domain/tasks/cancel-tasks.ts'
import type { TaskFilter } from '#shared/domain/tasks/list-tasks.ts'
import type { Task } from '#shared/domain/tasks/task.ts'
import { changeTask, createTask, findTask, getTask } from '#shared/domain/tasks/task-store.ts'
import type { Key, Platform, Table } from '#shared/platform/platform.ts'
import { aTask } from '#test/support/builders.ts'
import { aPlatform } from '#test/support/embedded.ts'

let platform: Platform
let close: () => Promise<void>
/** The keys of whole items that were read. */
const read: Key[] = []
const queried: string[] = []
beforeAll(async () => {
  const opened = await aPlatform()
  close = opened.close
  const { main } = opened.platform
  const watched: Table = Object.create(main, {
    getMany: {
      value: (keys: Key[]) => {
        read.push(...keys)
        return main.getMany(keys)
      },
    },
    query: { value: () => Promise.reject(new Error('a page of whole items was read')) },
    queryKeys: {
      value: (wish: Parameters<Table['queryKeys']>[0]) => {
        queried.push(wish.pk)
        return main.queryKeys(wish)
      },
    },
  })
  for (const tenant of ['mine', 'theirs'])
    for (let n = 0; n < 20; n++)
      await createTask(
        opened.platform,
        aTask({
          id: `tsk_${tenant}_${n}`,
          tenant,
          status: 'SCHEDULED',
          ...(n % 2 === 1 && { parent: 'tsk_parent' }),
          dueAt: 9e14,
          deadline: 9e15,
        }),
        [],
      )
  platform = { ...opened.platform, main: watched }
})
afterAll(() => close())

const caller: Caller = { tenant: 'mine', principal: { kind: 'key', id: 'k', role: 'admin' }, requestId: 'r' }
const ask = (more: Partial<TaskFilter>, dryRun: boolean) =>
  cancelTasks(platform, caller, { filter: { labels: [], ...more }, dryRun, patienceMs: 10_000 })

describe('the kill switch', () => {
  it('reads what is the caller’s own alone, and of a parent only its place', async () => {
    expect(await ask({ parent: 'tsk_parent' }, true)).toEqual({ matched: 10, cancelled: 0, complete: true })
    expect(queried).toEqual(['mine#children#tsk_parent'])
    expect(await ask({}, true)).toEqual({ matched: 20, cancelled: 0, complete: true })
    expect(read.filter(({ pk }) => !pk.startsWith('mine#task#'))).toEqual([])
    expect(new Set(read.map(({ pk }) => pk)).size).toBe(20)
  })

  it('looks once at what stays as it is, and again at what has moved meanwhile', async () => {
    const change = async (id: string, changed: Partial<Task>) =>
      changeTask(platform, await getTask(platform, 'mine', id), (task) => ({
        task: { ...task, ...changed },
        answer: 0,
      }))
    await change('tsk_mine_0', { priority: 'high' })
    let hasMoved = false
    const main: Table = Object.create(platform.main, {
      getMany: {
        value: async (keys: Key[]) => {
          const found = await platform.main.getMany(keys)
          if (!hasMoved && keys.some(({ pk }) => pk.endsWith('tsk_mine_1'))) {
            hasMoved = true
            await change('tsk_mine_1', { priority: 'high', dueAt: 8e14 })
          }
          return found
        },
      },
    })
    read.length = 0
    const filter: TaskFilter = { labels: [], priority: 'high' }
    const cancelled = await cancelTasks({ ...platform, main }, caller, { filter, dryRun: false, patienceMs: 10_000 })
    expect(cancelled).toEqual({ matched: 2, cancelled: 2, complete: true })
    expect(hasMoved).toBe(true)
    expect(read.filter(({ pk }) => pk.endsWith('tsk_mine_1'))).toHaveLength(2)
    expect(read).toHaveLength(21)
  })

  it('ends what is there, and nothing of anybody else', async () => {
    expect(await ask({}, false)).toEqual({ matched: 18, cancelled: 18, complete: true })
    const statusOf = async (tenant: string) => (await findTask(platform, tenant, `tsk_${tenant}_3`))?.value.status
    expect([await statusOf('mine'), await statusOf('theirs')]).toEqual(['CANCELLED', 'SCHEDULED'])
  })
})
