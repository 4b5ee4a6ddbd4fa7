import { afterAll, beforeAll, expect, it } from 'vitest'
import { scheduleTools } from '#functions/sweep/schedule-tools.ts'
import type { Caller } from '#shared/domain/caller.ts'
import { attendSchedule } from '#shared/domain/schedules/attend-schedule.ts'
import { deleteSchedule, makeSchedule, patchSchedule } from '#shared/domain/schedules/change-schedule.ts'
import { runSchedule } from '#shared/domain/schedules/run-schedule.ts'
import type { Schedule } from '#shared/domain/schedules/schedule.ts'
import { getSchedule, scheduleKey } from '#shared/domain/schedules/schedule-store.ts'
import type { Task } from '#shared/domain/tasks/task.ts'
import { taskListPk } from '#shared/domain/tasks/task-store.ts'
import type { Platform, Stored, Table } from '#shared/platform/platform.ts'
import { deathsAmong, dying } from '#test/support/dying-platform.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'

const caller: Caller = { tenant: 'default', principal: { kind: 'key', id: 'k', role: 'admin' }, requestId: 'r' }
const clock = aSkewedClock()
let platform: Platform
let close: () => Promise<void>
beforeAll(async () => {
  const opened = await aPlatform(undefined, clock)
  platform = opened.platform
  close = opened.close
})
afterAll(() => close())

const aSchedule = async (overlap: Schedule['overlap']): Promise<string> => {
  const timing = { rate: { everySeconds: 60, from: clock.now() } }
  const task = { capability: 'nobody', labels: {} }
  const wish = { timing, task, overlap, catchUpSeconds: 300, state: 'ACTIVE' as const }
  return (await makeSchedule(platform, caller, wish, scheduleTools)).value.id
}
const attend = (id: string, ports = platform) => attendSchedule(ports, 'default', id, scheduleTools)
const tasksOf = async (id: string): Promise<Task[]> => {
  const page = await platform.main.query<Task>({ index: 'list', pk: taskListPk('default'), limit: 10_000 })
  return page.items.map(({ value }) => value).filter(({ schedule }) => schedule === id)
}
const countsOf = async (id: string) => (await getSchedule(platform, 'default', id)).value.counts

it('a start that breaks off at any write is one task, and the next one knows of it', async () => {
  for (const { last, stored } of deathsAmong(5)) {
    const id = await aSchedule('skip')
    clock.forward(61_000)
    await attend(id, dying(platform, last, stored)).catch(() => undefined)
    clock.forward(60_000)
    for (let look = 0; look < 3; look++) await attend(id)
    const about = `death at write ${last}, ${stored ? 'stored' : 'not stored'}`
    const { started, skipped, missed } = await countsOf(id)
    expect(await tasksOf(id), about).toHaveLength(1)
    expect({ started, later: skipped + missed }, about).toEqual({ started: 1, later: 1 })
  }
})

it('a start that breaks off before a change of the schedule is the task that was made', async () => {
  for (const { last, stored } of deathsAmong(5)) {
    const id = await aSchedule('skip')
    clock.forward(61_000)
    await attend(id, dying(platform, last, stored)).catch(() => undefined)
    const made = await tasksOf(id)
    const task = { capability: 'nobody', labels: { changed: 'yes' } }
    await patchSchedule(platform, caller, id, { patch: { task } }, scheduleTools)
    for (let look = 0; look < 3; look++) await attend(id)
    const about = `death at write ${last}, ${stored ? 'stored' : 'not stored'}`
    const tasks = await tasksOf(id)
    expect(tasks, about).toHaveLength(1)
    if (made[0]) expect(tasks[0]?.id, about).toBe(made[0].id)
    expect(await countsOf(id), about).toMatchObject({ started: 1, refused: 0 })
  }
})

it('the task before is cancelled only when the start is decided on, and for whoever made the schedule', async () => {
  const id = await aSchedule('cancel-previous')
  clock.forward(61_000)
  await attend(id)
  const [first] = await tasksOf(id)
  expect(first?.fairnessKey).toBe('key:k')
  clock.forward(60_000)
  const refusing: Platform = {
    ...platform,
    main: { ...platform.main, write: async () => ({ ok: false, conflicts: [] }) },
  }
  await attend(id, refusing).catch(() => undefined)
  expect((await tasksOf(id)).map(({ status }) => status)).not.toContain('CANCELLED')
  await attend(id)
  expect((await tasksOf(id)).map(({ status }) => status).toSorted()[0]).toBe('CANCELLED')
})

it('several that look at once make one task for each time', async () => {
  const id = await aSchedule('cancel-previous')
  for (let round = 1; round <= 3; round++) {
    clock.forward(60_500)
    await Promise.all([attend(id), attend(id), attend(id)])
    const tasks = await tasksOf(id)
    expect(tasks).toHaveLength(round)
    expect(tasks.filter(({ status }) => status !== 'CANCELLED')).toHaveLength(1)
  }
  expect(await countsOf(id)).toEqual({ started: 3, skipped: 0, missed: 0, refused: 0 })
})

it('a start that was due before a pause is made, and what comes due in it is not', async () => {
  for (const patch of [{ state: 'PAUSED' as const }, { timing: { at: clock.now() + 86_400_000 } }]) {
    const id = await aSchedule('skip')
    clock.forward(61_000)
    await patchSchedule(platform, caller, id, { patch }, scheduleTools)
    clock.forward(600_000)
    for (let look = 0; look < 3; look++) await attend(id)
    expect(await tasksOf(id)).toHaveLength(1)
    const { state, counts } = (await getSchedule(platform, 'default', id)).value
    expect(counts).toEqual({ started: 1, skipped: 0, missed: 0, refused: 0 })
    expect(state).toBe(patch.state ?? 'ACTIVE')
  }
})

it('one that is deleted starts nothing more', async () => {
  const id = await aSchedule('skip')
  await deleteSchedule(platform, caller, id)
  clock.forward(61_000)
  await attend(id)
  expect(await tasksOf(id)).toEqual([])
})

it('a start that is asked for again before its schedule tells of it is not taken for a refused one', async () => {
  const id = await aSchedule('skip')
  const before = await getSchedule(platform, 'default', id)
  const first = await runSchedule(platform, caller, id, { idempotencyKey: 'now' }, scheduleTools)
  let late = 8
  const main: Table = {
    ...platform.main,
    async get<V>(key: Parameters<Table['get']>[0]) {
      const isHead = key.pk === scheduleKey('default', id).pk && key.sk === 'head'
      if (late > 0 && (isHead || key.pk.includes('#task#'))) {
        late--
        return isHead ? (before as Stored<V>) : undefined
      }
      return platform.main.get<V>(key)
    },
  }
  const again = await runSchedule({ ...platform, main }, caller, id, { idempotencyKey: 'now' }, scheduleTools)
  expect([again, late]).toEqual([first, 0])
})
