import { describe, expect, it } from 'vitest'
import { eventsItem, readEvents, type TaskEvent } from '#shared/domain/tasks/task-events.ts'
import { aTask } from '#test/support/builders.ts'
import { aPlatform } from '#test/support/embedded.ts'

const event = (seq: number): TaskEvent => ({ seq, type: 'task.state', time: seq, data: {} })

describe('events of a task', () => {
  it('come once and in order, also when a repeated projection wrote some of them into another item again', async () => {
    const { platform, close } = await aPlatform()
    const task = aTask({ seq: 4, transition: { seq: 4, to: 'QUEUED', at: 4 } })
    for (const run of [[event(1)], [event(2)], [event(3), event(4)], [event(1), event(2), event(3)]] as const)
      await platform.main.write({ op: 'put', item: eventsItem(task, [...run]), expect: 'any' })
    const read = async (after: number) => (await readEvents(platform, { task, after, limit: 50 })).map(({ seq }) => seq)
    expect(await read(0)).toEqual([1, 2, 3, 4])
    expect(await read(1)).toEqual([2, 3, 4])
    await close()
  })

  it('are all there when only the last of those that share an item are projected again', async () => {
    const { platform, close } = await aPlatform()
    const task = aTask({ seq: 3, transition: { seq: 3, to: 'QUEUED', at: 3 } })
    for (const run of [[event(1), event(2), event(3)], [event(2), event(3)], [event(3)]] as const)
      await platform.main.write({ op: 'put', item: eventsItem(task, [...run]), expect: 'any' })
    const read = async (after: number) => (await readEvents(platform, { task, after, limit: 50 })).map(({ seq }) => seq)
    expect(await read(0)).toEqual([1, 2, 3])
    expect(await read(2)).toEqual([3])
    await close()
  })
})
