import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { doDuties } from '#functions/stream/duties.ts'
import { project } from '#functions/stream/project.ts'
import { createTask, findTask } from '#shared/domain/tasks/task-store.ts'
import type { Change, Platform } from '#shared/platform/platform.ts'
import { aTask } from '#test/support/builders.ts'
import { aPlatform } from '#test/support/embedded.ts'

let platform: Platform
let close: () => Promise<void>
beforeAll(async () => {
  const opened = await aPlatform()
  platform = opened.platform
  close = opened.close
})
afterAll(() => close())

const aChange = (id: string): Change => ({ id, key: { pk: 'p', sk: 'head' }, type: 'task' })

/** A duty that fails for some changes, and what it was asked for. */
const aDuty = (failing: string[] = []) => {
  const asked: string[] = []
  const duty = async (_: Platform, { id }: Change) => {
    asked.push(id)
    if (failing.includes(id)) throw new Error(`not ${id}`)
  }
  return { duty, asked, failing }
}

describe('the duties of a change', () => {
  it('are done whichever of them fails, and those that were done are not done again', async () => {
    const [sound, broken, last] = [aDuty(), aDuty(['2']), aDuty()]
    const duties = { sound: sound.duty, broken: broken.duty, last: last.duty }
    const changes = ['1', '2', '3'].map(aChange)
    expect(await doDuties(platform, duties, changes)).toEqual(['2', '3'])
    expect(await doDuties(platform, duties, changes.slice(1))).toEqual(['2', '3'])
    broken.failing.length = 0
    expect(await doDuties(platform, duties, changes.slice(1))).toEqual([])
    expect(sound.asked).toEqual(['1', '2', '3'])
    expect(last.asked).toEqual(['1', '2', '3'])
    expect(broken.asked).toEqual(['1', '2', '2', '2', '3'])
  })
})

describe('a bus that takes nothing', () => {
  it('leaves no child of a cancelled task running, and is told once when it is back', async () => {
    const parent = aTask({ id: 'tsk_1', status: 'CANCELLED', epoch: 0, dueAt: undefined })
    const child = aTask({ id: 'tsk_2', parent: parent.id, status: 'SCHEDULED', dueAt: 9e14, deadline: 9e15 })
    for (const task of [parent, child]) await createTask(platform, task, [])
    const before = { ...parent, status: 'QUEUED' as const, transition: { ...parent.transition, seq: parent.seq - 1 } }
    const stored = await findTask(platform, parent.tenant, parent.id)
    if (stored === undefined) throw new Error('the test needs its parent')
    const change: Change = {
      id: 'c-1',
      key: { pk: stored.pk, sk: stored.sk },
      type: 'task',
      before: { ...stored, value: before },
      after: stored,
    }
    let [taken, refuses] = [0, true]
    const bus: Platform['bus'] = {
      publish: async (events) => {
        taken += refuses ? 0 : events.length
        return refuses ? events.map(({ id }) => id) : []
      },
    }
    expect(await project({ ...platform, bus }, [change])).toEqual(['c-1'])
    expect((await findTask(platform, child.tenant, child.id))?.value.status).toBe('CANCELLED')
    refuses = false
    expect(await project({ ...platform, bus }, [change])).toEqual([])
    expect(taken).toBe(1)
  })
})
