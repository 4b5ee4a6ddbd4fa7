import fc from 'fast-check'
import { expect, it } from 'vitest'
import { listTasks, matches } from '#shared/domain/tasks/list-tasks.ts'
import type { Task } from '#shared/domain/tasks/task.ts'
import type { Platform, Query } from '#shared/platform/platform.ts'
import { aTask } from '#test/support/builders.ts'

/** A list whose cursors are places in it; `asked` are the sizes of what was read. */
const aList = (statuses: Task['status'][]) => {
  const tasks = statuses.map((status, at) => ({ value: aTask({ id: `tsk_${at}`, status }) }))
  const asked: number[] = []
  const query = async ({ cursor, limit = 0 }: Query) => {
    asked.push(limit)
    const from = Number(cursor ?? 0)
    const end = from + limit
    return { items: tasks.slice(from, end), ...(end < tasks.length && { cursor: String(end) }) }
  }
  return { main: { query } as unknown as Platform['main'], asked }
}
const failed = { status: 'FAILED' as const, labels: [] }

/** Every page of the tasks that failed. */
const readAll = async (main: Platform['main'], limit: number): Promise<string[][]> => {
  const pages: string[][] = []
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const page = await listTasks({ main }, 'default', { filter: failed, limit, cursor: cursor || undefined })
    pages.push(page.items.map(({ id }) => id))
    cursor = page.cursor
  }
  return pages
}

it('tells each task that matches once and in order, on pages that have at most their limit', async () => {
  const statuses = fc.array(fc.constantFrom<Task['status']>('FAILED', 'QUEUED', 'QUEUED', 'RUNNING'), {
    maxLength: 300,
  })
  await fc.assert(
    fc.asyncProperty(statuses, fc.integer({ min: 1, max: 40 }), async (list, limit) => {
      const pages = await readAll(aList(list).main, limit)
      expect(pages.flat()).toEqual(list.flatMap((status, at) => (status === 'FAILED' ? [`tsk_${at}`] : [])))
      expect(pages.every((page, at) => page.length === limit || at === pages.length - 1)).toBe(true)
    }),
    { numRuns: 50 },
  )
})

it('looks on for a first one that matches, in few reads and not for ever', async () => {
  const rare = Array.from({ length: 30_000 }, (_, at): Task['status'] => (at === 9000 ? 'FAILED' : 'QUEUED'))
  const near = aList(rare)
  const page = await listTasks(near, 'default', { filter: failed, limit: 1 })
  expect(page.items.map(({ id }) => id)).toEqual(['tsk_9000'])
  expect(near.asked.length).toBeLessThan(40)
  const far = aList(rare.map((): Task['status'] => 'QUEUED'))
  expect(await listTasks(far, 'default', { filter: failed, limit: 50 })).toEqual({
    items: [],
    cursor: expect.any(String),
  })
  expect(far.asked.reduce((sum, one) => sum + one, 0)).toBeLessThan(11_000)
})

it('finds a distributed task by the capability of its shards', () => {
  const task = aTask({ capability: undefined, fanOut: { id: 'bat_1', capability: 'text.count' } })
  expect(matches({ capability: 'text.count', labels: [] }, task)).toBe(true)
  expect(matches({ capability: 'text.other', labels: [] }, task)).toBe(false)
})
