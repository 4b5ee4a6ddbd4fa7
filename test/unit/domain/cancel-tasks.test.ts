import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Caller } from '#shared/domain/caller.ts'
import { cancelTasks } from '#shared/domain/tasks/cancel-tasks.ts'
import { createTask, findTask } from '#shared/domain/tasks/task-store.ts'
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
const ask = (more: { parent?: string }, dryRun: boolean) =>
  cancelTasks(platform, caller, { filter: { labels: [], ...more }, dryRun, patienceMs: 10_000 })

describe('the kill switch', () => {
  it('reads what is the caller’s own alone, and of a parent only its place', async () => {
    expect(await ask({ parent: 'tsk_parent' }, true)).toEqual({ matched: 10, cancelled: 0, complete: true })
    expect(queried).toEqual(['mine#children#tsk_parent'])
    expect(await ask({}, true)).toEqual({ matched: 20, cancelled: 0, complete: true })
    expect(read.filter(({ pk }) => !pk.startsWith('mine#task#'))).toEqual([])
    expect(new Set(read.map(({ pk }) => pk)).size).toBe(20)
  })

  it('ends what is there, and nothing of anybody else', async () => {
    expect(await ask({}, false)).toEqual({ matched: 20, cancelled: 20, complete: true })
    const statusOf = async (tenant: string) => (await findTask(platform, tenant, `tsk_${tenant}_3`))?.value.status
    expect([await statusOf('mine'), await statusOf('theirs')]).toEqual(['CANCELLED', 'SCHEDULED'])
  })
})
