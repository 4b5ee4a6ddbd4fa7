import { afterAll, expect, it } from 'vitest'
import { cancelBatch, getBatch } from '#shared/domain/batches/batch.ts'
import { createBatch } from '#shared/domain/batches/create-batch.ts'
import { rebuildQueues } from '#shared/domain/dispatch/rebuild-queues.ts'
import { attendFanOut } from '#shared/domain/fan-out/attend-fan-out.ts'
import { notesOf, takeNotes } from '#shared/domain/fan-out/note-ends.ts'
import { cancelBySystem } from '#shared/domain/tasks/cancel-children.ts'
import type { Task } from '#shared/domain/tasks/task.ts'
import { taskListPk } from '#shared/domain/tasks/task-store.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { deathsAmong, dying } from '#test/support/dying-platform.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { anAdmin, rowTools, unchecked } from '#test/support/fan-outs.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'

const clock = aSkewedClock()
const { platform, close } = await aPlatform(undefined, clock)
afterAll(close)

const rows = 12
let made = 0

const aBatch = async () => {
  const object = `obj_${String(++made).padStart(26, '0')}`
  const lines = Array.from({ length: rows }, (_, n) => (n === 3 ? 'bad' : String(n)))
  await platform.objects.put({ tenant: 'default', id: object }, Buffer.from(lines.join('\n')))
  const task = { capability: 'nobody', labels: { batch: object } }
  const { id } = await createBatch(platform, anAdmin, { object, task, maxInFlight: 8 }, unchecked)
  return { id, object }
}
const attend = (id: string, ports: Platform = platform) => attendFanOut(ports, rowTools, 'default', id)
const tasksOf = async (object: string): Promise<Task[]> => {
  const page = await platform.main.query<Task>({ index: 'list', pk: taskListPk('default'), limit: 10_000 })
  return page.items.map(({ value }) => value).filter(({ labels }) => labels.batch === object)
}

/** Ends every task of a batch and tells of it, as the projector does, until the batch has ended. */
const runToTheEnd = async (id: string, object: string) => {
  for (let round = 0; round < 20; round++) {
    await attend(id)
    const batch = await getBatch(platform, 'default', id)
    if (batch.fan.state !== 'RUNNING') return batch
    for (const task of await tasksOf(object)) {
      const ended = await cancelBySystem(platform, 'default', task.id, 'test')
      await takeNotes(platform, ended ? notesOf(ended) : [])
    }
  }
  throw new Error(`batch ${id} does not end`)
}
const deaths = deathsAmong(24)

it('a pass that breaks off at any write is gone on with: each row is one task', async () => {
  for (const { last, stored } of deaths) {
    const { id, object } = await aBatch()
    await attend(id, dying(platform, last, stored)).catch(() => undefined)
    clock.forward(91_000)
    const { fan, counts } = await runToTheEnd(id, object)
    const about = `death at write ${last}, ${stored ? 'stored' : 'not stored'}`
    expect({ state: fan.state, counts }, about).toEqual({
      state: 'FAILED',
      counts: { succeeded: 0, failed: 1, cancelled: rows - 1 },
    })
    expect(new Set((await tasksOf(object)).map((task) => task.batch?.row)).size, about).toBe(rows - 1)
    expect(await tasksOf(object), about).toHaveLength(rows - 1)
  }
})

it('a batch that is cancelled after such a pass leaves no task behind', async () => {
  for (const { last, stored } of deaths.filter((_, at) => at % 3 === 0)) {
    const { id, object } = await aBatch()
    await attend(id, dying(platform, last, stored)).catch(() => undefined)
    await cancelBatch(platform, anAdmin, id)
    clock.forward(91_000)
    await attend(id)
    const about = `death at write ${last}, ${stored ? 'stored' : 'not stored'}`
    const statuses = new Set((await tasksOf(object)).map(({ status }) => status))
    expect(
      [...statuses].every((status) => status === 'CANCELLED'),
      about,
    ).toBe(true)
    const { fan } = await runToTheEnd(id, object)
    expect(fan.state, about).toBe('CANCELLED')
  }
})

it('ends that nobody told of are found', async () => {
  const { id, object } = await aBatch()
  await attend(id)
  for (const task of await tasksOf(object)) await cancelBySystem(platform, 'default', task.id, 'test')
  await attend(id)
  expect((await getBatch(platform, 'default', id)).fan.position.row).toBe(8)
  clock.forward(301_000)
  await attend(id)
  expect((await getBatch(platform, 'default', id)).fan.position.row).toBeGreaterThan(8)
})

it('two passes at once do the work of one', async () => {
  const { id, object } = await aBatch()
  await Promise.all([attend(id), attend(id), attend(id)])
  expect((await tasksOf(object)).map((task) => task.batch?.row)).toHaveLength(8 - 1)
  const { fan } = await getBatch(platform, 'default', id)
  expect(fan.pass).toBeUndefined()
})

it('a batch whose server was killed in a pass goes on as soon as the next one starts', async () => {
  for (const { last, stored } of deaths.filter((_, at) => at % 9 === 0)) {
    const { id, object } = await aBatch()
    await attend(id, dying(platform, last, stored)).catch(() => undefined)
    await rebuildQueues(platform)
    await attend(id)
    expect(await tasksOf(object), `death at write ${last}`).toHaveLength(8 - 1)
    const { fan } = await runToTheEnd(id, object)
    expect(fan.state).toBe('FAILED')
  }
})

it('a pass that goes on is nobody else’s, and one that gives no sign of life is soon', async () => {
  const { id, object } = await aBatch()
  const slow: Platform = {
    ...platform,
    objects: {
      ...platform.objects,
      async get(key, part) {
        await clock.sleep(300)
        return platform.objects.get(key, part)
      },
    },
  }
  const first = attend(id, slow)
  await clock.sleep(50)
  await attend(id)
  expect(await tasksOf(object)).toHaveLength(0)
  clock.forward(7000)
  await attend(id)
  expect(await tasksOf(object)).toHaveLength(8 - 1)
  await first
  expect((await getBatch(platform, 'default', id)).fan.position.row).toBe(8)
})

it('a pass that was held up for too long submits nothing behind the end of its batch', async () => {
  const { id, object } = await aBatch()
  const late: Platform = {
    ...platform,
    objects: {
      ...platform.objects,
      async get(key, part) {
        clock.forward(7000)
        await cancelBatch(platform, anAdmin, id)
        await attend(id)
        return platform.objects.get(key, part)
      },
    },
  }
  await attend(id, late)
  expect(await tasksOf(object)).toHaveLength(0)
  expect((await getBatch(platform, 'default', id)).fan).toMatchObject({ state: 'CANCELLED', position: { row: 0 } })
})
