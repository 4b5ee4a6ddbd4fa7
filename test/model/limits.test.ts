import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Instance } from '#shared/domain/instances/instance.ts'
import { attendLimit } from '#shared/domain/limits/hold-task.ts'
import type { Limits } from '#shared/domain/limits/limit.ts'
import { limitsKey } from '#shared/domain/limits/limits-store.ts'
import { leavePlace, newPlace, placesTaken, recountPlaces, takePlace } from '#shared/domain/limits/places.ts'
import { claim } from '#shared/domain/tasks/claim-task.ts'
import { type Priority, priorities, type Task } from '#shared/domain/tasks/task.ts'
import { cancelTask } from '#shared/domain/tasks/task-moves.ts'
import { changeTask, createTask, getTask, taskKey } from '#shared/domain/tasks/task-store.ts'
import { aTask } from '#test/support/builders.ts'
import { atOnce, scheduledPorts } from './scheduled-ports.ts'

type World = ReturnType<typeof scheduledPorts>
const agent = { agent: 'agt_00000000000000000000000001', version: '1.0.0' }
const workers = ['a', 'b', 'c'].map(
  (id) => ({ ...agent, id, tenant: 'default', labels: {}, slots: 9 }) as unknown as Instance,
)

const idOf = (n: number): string => `tsk_000000000000000000000000${String(n).padStart(2, '0')}`

const build = async (world: World, limits: Limits, tasks: Partial<Task>[]): Promise<string[]> => {
  world.main.write({ op: 'put', item: { ...limitsKey('default'), type: 'limits', value: limits }, expect: 'any' })
  const now = world.ports.clock.now()
  for (const [n, change] of tasks.entries()) {
    const task = aTask({ id: idOf(n), createdAt: now + n, deadline: now + 3_600_000, ...change })
    await createTask(
      { ...world.ports, main: { ...world.ports.main, write: async (write) => world.main.write(write) } },
      task,
      [],
    )
  }
  return tasks.map((_, n) => idOf(n))
}

const headOf = (world: World, id: string): Task | undefined => world.main.get<Task>(taskKey('default', id))?.value
const running = (world: World, ids: string[], key?: string): number =>
  ids
    .map((id) => headOf(world, id))
    .filter((task) => task?.status === 'RUNNING' && (key === undefined || task.fairnessKey === key)).length

const end = async ({ ports }: World, id: string): Promise<void> => {
  await changeTask(ports, await getTask(ports, 'default', id), (task) => ({
    task: cancelTask(task, { now: ports.clock.now(), by: 'the model' }) as Task,
    answer: undefined,
  }))
}

/** Takes messages until there are none, and ends each task that it was given. */
const work = async (world: World, instance: Instance, check: () => void): Promise<string[]> => {
  const started: string[] = []
  for (let next = world.sent.shift(); next !== undefined; next = world.sent.shift()) {
    if (next.queue === 'due') continue
    const claimed = await claim(world.ports, instance, next.body)
    check()
    if (typeof claimed !== 'object' || !claimed.isNew) continue
    started.push(next.body)
    await end(world, next.body)
    check()
  }
  return started
}

const taskArbitrary = fc.record({
  fairnessKey: fc.constantFrom('x', 'y'),
  priority: fc.constantFrom<Priority>(...priorities),
})
const limitsArbitrary = fc.record(
  {
    tenant: fc.record({ concurrency: fc.integer({ min: 1, max: 3 }) }),
    keys: fc.record({ x: fc.record({ concurrency: fc.integer({ min: 1, max: 2 }) }) }),
  },
  { requiredKeys: [] },
)

it('limits are never exceeded, and nothing is held for ever, however calls interleave', () =>
  fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      limitsArbitrary,
      fc.array(taskArbitrary, { minLength: 1, maxLength: 8 }),
      async (scheduler, limits, tasks) => {
        const world = scheduledPorts(scheduler)
        const ids = await build(world, limits, tasks)
        const check = () => {
          expect(running(world, ids)).toBeLessThanOrEqual(limits.tenant?.concurrency ?? ids.length)
          expect(running(world, ids, 'x')).toBeLessThanOrEqual(limits.keys?.x.concurrency ?? ids.length)
        }
        const open = () => ids.filter((id) => headOf(world, id)?.status !== 'CANCELLED')
        world.sent.push(...ids.map((body) => ({ queue: 'lane', body })))
        for (let round = 0; round < 12 && open().length > 0; round++) {
          await scheduler.waitFor(Promise.all(workers.map((worker) => work(world, worker, check))))
          world.forward(3000) // the reminders of the limits come
          for (const limit of ['lim.tenant', 'lim.key.x'])
            await scheduler.waitFor(attendLimit(world.ports, 'default', limit))
        }
        expect(open()).toEqual([])
        for (const limit of ['lim.tenant', 'lim.key.x']) {
          const taken = placesTaken(world.ports, 'default', limit)
          expect(await scheduler.waitFor(taken)).toBe(0)
        }
      },
    ),
    { numRuns: 150 },
  ))

it('what is held is woken lane by lane, in the order in which it was submitted', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom<Priority>(...priorities), { minLength: 2, maxLength: 8 }),
      fc.integer(),
      async (lanes, seed) => {
        const world = scheduledPorts(atOnce)
        const ids = await build(world, { tenant: { concurrency: 1 } }, [
          { priority: 'low' },
          ...lanes.map((priority) => ({ priority })),
        ])
        const [first = '', ...rest] = ids
        const [worker] = workers as [Instance]
        await claim(world.ports, worker, first)
        const shuffled = rest.toSorted(
          (a, b) => ((a.charCodeAt(29) * 31 + seed) % 7) - ((b.charCodeAt(29) * 31 + seed) % 7),
        )
        for (const id of shuffled) await claim(world.ports, worker, id)
        world.sent.length = 0
        await end(world, first)
        const order = rest.toSorted((a, b) => rank(lanes, a) - rank(lanes, b))
        expect(await work(world, worker, () => undefined)).toEqual(order)
      },
    ),
    { numRuns: 100 },
  ))

it('as many places are taken as are counted, whatever recounts come between', () =>
  fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.integer({ min: -2, max: 3 }),
      fc.integer({ min: 1, max: 3 }),
      async (scheduler, off, concurrency) => {
        const { ports, volatile, forward } = scheduledPorts(scheduler)
        const counter = { pk: 'default#limit#lim.x', sk: 'counter' }
        const named = () => volatile.query({ pk: counter.pk, prefix: 'place#' }).items.length
        volatile.add(counter, off) // as a backup or an older version left it
        await scheduler.waitFor(recountPlaces(ports, 'default', 'lim.x'))
        const work = async (task: string): Promise<void> => {
          for (let time = 0; time < 4; time++) {
            const place = { task, place: newPlace(ports) }
            if (!(await takePlace(ports, 'default', { id: 'lim.x', concurrency }, place))) continue
            expect(named()).toBeLessThanOrEqual(concurrency)
            await leavePlace(ports, 'default', 'lim.x', place)
          }
        }
        const recounting = async (): Promise<void> => {
          for (let time = 0; time < 6; time++) {
            await recountPlaces(ports, 'default', 'lim.x')
            forward(10_000)
          }
        }
        await scheduler.waitFor(Promise.all([...['a', 'b', 'c'].map(work), recounting()]))
        expect([named(), volatile.get(counter)?.value]).toEqual([0, 0])
      },
    ),
    { numRuns: 300 },
  ))

const rank = (lanes: Priority[], id: string): number => {
  const n = Number(id.slice(-2))
  return priorities.indexOf(lanes[n - 1] as Priority) * 100 + n
}
