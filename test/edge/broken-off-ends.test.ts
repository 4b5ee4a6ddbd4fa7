import { afterAll, expect, it } from 'vitest'
import { createBatch } from '#shared/domain/batches/create-batch.ts'
import { DomainError } from '#shared/domain/domain-error.ts'
import { attendFanOut } from '#shared/domain/fan-out/attend-fan-out.ts'
import { getFanOut } from '#shared/domain/fan-out/fan-out-store.ts'
import { notesOf, takeNotes } from '#shared/domain/fan-out/note-ends.ts'
import { cancelBySystem } from '#shared/domain/tasks/cancel-children.ts'
import { listTasks } from '#shared/domain/tasks/list-tasks.ts'
import { submitTask } from '#shared/domain/tasks/submit-task.ts'
import type { Task } from '#shared/domain/tasks/task.ts'
import { getTask } from '#shared/domain/tasks/task-store.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { deathsAmong, dying } from '#test/support/dying-platform.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { anAdmin, rowTools, unchecked } from '#test/support/fan-outs.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'

const clock = aSkewedClock()
const { platform, close } = await aPlatform(undefined, clock)
afterAll(close)

let made = 0
const attend = (id: string, ports: Platform = platform) => attendFanOut(ports, rowTools, 'default', id)
const fanOut = async (id: string) => (await getFanOut(platform, 'default', id)).value
const tasksOf = async (id: string): Promise<Task[]> => {
  const { items } = await listTasks(platform, 'default', { filter: { labels: [] }, limit: 1000 })
  return items.filter(({ batch }) => batch?.id === id)
}

/** Ends every row, so that the next pass is the last one. */
const endRows = async (id: string): Promise<void> => {
  for (const task of await tasksOf(id)) {
    const ended = await cancelBySystem(platform, 'default', task.id, 'test')
    await takeNotes(platform, ended ? notesOf(ended) : [])
  }
}

/** The last pass breaks off; later ones do what it left. */
const breakOffLast = async (id: string, last: number, stored: boolean): Promise<void> => {
  await attend(id)
  await endRows(id)
  await attend(id, dying(platform, last, stored)).catch(() => undefined)
  clock.forward(91_000)
  for (let pass = 0; pass < 3; pass++) {
    await attend(id)
    clock.forward(61_000)
  }
}

const linesOf = async (object: string | undefined): Promise<string[]> => {
  const found = await platform.objects.get({ tenant: 'default', id: object ?? '' })
  return found ? (await new Response(found.body).text()).trim().split('\n') : []
}

it('a batch whose last pass breaks off at any write ends, with its report', async () => {
  for (const { last, stored } of deathsAmong(7)) {
    const object = `obj_${String(++made).padStart(26, '0')}`
    await platform.objects.put({ tenant: 'default', id: object }, Buffer.from('1\nbad\n3'))
    const { id } = await createBatch(
      platform,
      anAdmin,
      { object, task: { capability: 'nobody' }, maxInFlight: 8 },
      unchecked,
    )
    await breakOffLast(id, last, stored)
    const about = `death at write ${last}, ${stored ? 'stored' : 'not stored'}`
    const { state, report, dueAt } = await fanOut(id)
    expect({ state, dueAt }, about).toEqual({ state: 'FAILED', dueAt: undefined })
    expect(await linesOf(report), about).toHaveLength(3)
  }
})

it('a distributed task whose last pass breaks off at any write ends, and says which shards failed', async () => {
  for (const { last, stored } of deathsAmong(7)) {
    const command = { capability: 'nobody', labels: {}, shards: { list: [1, 2] }, onFailure: 'continue' as const }
    const { id, fanOut: of } = await submitTask(platform, anAdmin, command, rowTools.checkInput)
    await breakOffLast(of?.id ?? '', last, stored)
    const about = `death at write ${last}, ${stored ? 'stored' : 'not stored'}`
    const { value: task } = await getTask(platform, 'default', id)
    expect(task.failure?.message, about).toMatch(/2 of 2 shards did not succeed.*shard 0/)
    const { state, report } = await fanOut(of?.id ?? '')
    expect(['FAILED', 'CANCELLED'], about).toContain(state)
    expect(await linesOf(report), about).toHaveLength(2)
  }
})

it('a row that is refused because too many came at once is submitted again, and is no failure', async () => {
  const object = `obj_${String(++made).padStart(26, '0')}`
  await platform.objects.put({ tenant: 'default', id: object }, Buffer.from('1\n2'))
  const { id } = await createBatch(
    platform,
    anAdmin,
    { object, task: { capability: 'nobody' }, maxInFlight: 8 },
    unchecked,
  )
  const busy = () => {
    throw new DomainError('CONTENDED', 'too many at once')
  }
  await expect(attendFanOut(platform, { ...rowTools, readSubmit: busy }, 'default', id)).rejects.toThrow('too many')
  await attend(id)
  clock.forward(61_000)
  await attend(id)
  expect((await tasksOf(id)).map(({ batch }) => batch?.row).sort()).toEqual([0, 1])
})
