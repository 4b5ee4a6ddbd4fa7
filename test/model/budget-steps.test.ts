import fc from 'fast-check'
import { expect, it } from 'vitest'
import { openShares, ownPool } from '#shared/domain/budgets/open-shares.ts'
import type { Pool } from '#shared/domain/budgets/pool.ts'
import { finishShares } from '#shared/domain/budgets/settle.ts'
import type { Caller } from '#shared/domain/caller.ts'
import { DomainError } from '#shared/domain/domain-error.ts'
import { cancelBySystem } from '#shared/domain/tasks/cancel-children.ts'
import { completeTask } from '#shared/domain/tasks/complete-task.ts'
import { reportProgress } from '#shared/domain/tasks/report-progress.ts'
import { retryTask } from '#shared/domain/tasks/retry-task.ts'
import type { Task } from '#shared/domain/tasks/task.ts'
import { createTask } from '#shared/domain/tasks/task-store.ts'
import type { Table } from '#shared/platform/platform.ts'
import { aTask } from '#test/support/builders.ts'
import { atOnce, scheduledPorts } from './scheduled-ports.ts'

type World = ReturnType<typeof scheduledPorts>
const caller: Caller = { tenant: 'default', principal: { kind: 'key', id: 'k', role: 'admin' }, requestId: 'r' }
const idOf = (n: number): string => `tsk_000000000000000000000000${String(n).padStart(2, '0')}`
const rootId = idOf(99)
const fence = '1.1'
const lease = { instance: 'ins_1', fence, since: 1_800_000_000_000, timeoutAt: 1_900_000_000_000 }
const running = { status: 'RUNNING', lease, deadline: 1_900_000_000_000, attempt: 1 } as const

const headOf = ({ main }: World, id: string): Task | undefined =>
  main.get<Task>({ pk: `default#task#${id}`, sk: 'head' })?.value
const poolOf = ({ main }: World): Pool | undefined =>
  main.get<Pool>({ pk: `default#task#${rootId}`, sk: 'pool' })?.value
const store = ({ main }: World, task: Task): void =>
  void main.write({
    op: 'put',
    item: { pk: `default#task#${task.id}`, sk: 'head', type: 'task', value: task },
    expect: 'any',
  })

/** A root that runs with so many tokens, and nothing else. */
const plant = (world: World, tokens: number): void => {
  const root = aTask({ ...running, id: rootId, budget: { tokens }, pool: rootId })
  store(world, root)
  for (const item of ownPool(root, undefined)) world.main.write({ op: 'put', item, expect: 'any' })
}

/** Why a call was refused, where that is one of the things that may happen here. */
const refused = (error: unknown): string => {
  if (error instanceof DomainError && ['BUDGET', 'STALE_FENCE', 'ALREADY_FINISHED'].includes(error.code))
    return error.code
  throw error
}

/** Reports as a worker does, and is still for a while. */
const work = async (world: World, id: string, { reports, pause }: Work): Promise<void> => {
  for (const tokens of reports) {
    const end = await reportProgress(world.ports, caller, id, { fence, usage: { tokens } }).catch(refused)
    if (end === 'STALE_FENCE') break
  }
  for (let n = 0; n < pause; n++) await world.ports.clock.sleep(1)
}
const complete = (world: World, id: string, tokens: number) =>
  completeTask(world.ports, caller, id, { fence, usage: { tokens } }).catch(refused)
/** What the projector does of an end. */
const settle = async (world: World, id: string): Promise<void> => {
  const head = headOf(world, id)
  if (head) await finishShares(world.ports, head)
}

/** What is reported, how long it is still after that, and what its completion reports. */
type Work = { reports: number[]; pause: number; last: number }
type Wish = Work & { again?: Work }

/** A child that works; one that is done again is cancelled first, and retried by hand. Answers the tasks that it was. */
const live = async (world: World, n: number, { again, ...first }: Wish): Promise<string[]> => {
  const task = aTask({ ...running, id: idOf(n), parent: rootId, pool: rootId })
  const shares = await openShares(world.ports, task, rootId)
  await createTask(world.ports, task, [], shares)
  await work(world, task.id, first)
  if (again === undefined) await complete(world, task.id, first.last)
  else await cancelBySystem(world.ports, 'default', task.id, 'test')
  await settle(world, task.id)
  if (headOf(world, task.id)?.status !== 'CANCELLED' || again === undefined) return [task.id]
  const retried = await retryTask(world.ports, caller, task.id, { from: 'start' }, async () => []).catch(refused)
  if (typeof retried === 'string') return [task.id, retried]
  const { id } = retried.task
  const head = headOf(world, id)
  if (head?.status === 'QUEUED') store(world, { ...head, ...running })
  await work(world, id, again)
  await complete(world, id, again.last)
  await settle(world, id)
  return [task.id, id]
}

const works = {
  reports: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 20, size: 'max' }),
  pause: fc.nat(100),
  last: fc.nat(40),
}
const wishes: fc.Arbitrary<Wish> = fc.record(
  { ...works, again: fc.record(works) },
  { requiredKeys: ['reports', 'pause', 'last'] },
)
const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0)
const asked = (wish: Wish): number =>
  sum(wish.reports) + (wish.again ? sum(wish.again.reports) + wish.again.last : wish.last)

it('what is reported in steps is charged exactly in the end, never beyond the budget, and fails only whom it has to; retries too', () =>
  fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.integer({ min: -10, max: 10 }),
      fc.array(wishes, { minLength: 1, maxLength: 4 }),
      async (scheduler, slack, all) => {
        const tokens = Math.max(1, sum(all.map(asked)) + slack)
        const world = scheduledPorts(scheduler)
        plant(world, tokens)
        const lives = await scheduler.waitFor(Promise.all(all.map((wish, n) => live(world, n, wish))))
        const heads = lives.flat().map((id) => headOf(world, id))
        const ended = heads.filter((head) => head !== undefined)
        const used = (tasks: Task[]) => sum(tasks.map(({ usage }) => usage?.tokens ?? 0))
        const spent = used(ended.filter(({ failure }) => failure?.code !== 'BUDGET'))
        expect(spent).toBeLessThanOrEqual(tokens)
        expect(poolOf(world)?.used.tokens ?? 0).toBeLessThanOrEqual(tokens)
        expect(poolOf(world)?.used.tokens ?? 0).toBeGreaterThanOrEqual(spent)
        expect(poolOf(world)?.open).toBe(1)
        if (slack < 1) return
        expect(ended.map(({ status }) => status).filter((status) => status === 'FAILED')).toEqual([])
        expect(heads).not.toContain(undefined)
        expect([spent, poolOf(world)?.used.tokens ?? 0]).toEqual([sum(all.map(asked)), sum(all.map(asked))])
      },
    ),
    { numRuns: 150 },
  ))

it('what is retried while the parent ends is bound by its budget or has nothing to do with it', () =>
  fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.integer({ min: 1, max: 60 }),
      fc.array(wishes, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 0, max: 10 }),
      async (scheduler, tokens, all, last) => {
        const world = scheduledPorts(scheduler)
        plant(world, tokens)
        const end = async () => {
          await complete(world, rootId, last)
          await settle(world, rootId)
        }
        const living = all.map((wish, n) => live(world, n, wish).catch((error) => [refused(error)]))
        const [lives] = await scheduler.waitFor(Promise.all([Promise.all(living), end()]))
        const heads = [rootId, ...lives.flat()].map((id) => headOf(world, id)).filter((head) => head !== undefined)
        const drawing = heads.filter(({ pool, failure }) => pool === rootId && failure?.code !== 'BUDGET')
        const spent = sum(drawing.map(({ usage }) => usage?.tokens ?? 0))
        expect(spent).toBeLessThanOrEqual(tokens)
        const used = poolOf(world)?.used.tokens ?? 0
        expect(used).toBeGreaterThanOrEqual(spent)
        expect(used).toBeLessThanOrEqual(tokens)
        expect(poolOf(world)).toMatchObject({ open: 0, closed: true })
        for (const { retryOf, parent, pool } of heads)
          if (retryOf !== undefined) expect([parent, pool]).toEqual(parent ? [rootId, rootId] : [undefined, undefined])
      },
    ),
    { numRuns: 150 },
  ))

it('ten thousand reports of a task are some sixty writes to the budget, a few hundred where many others draw on it', async () => {
  for (const siblings of [0, 50]) {
    const world = scheduledPorts(atOnce)
    plant(world, 100_000)
    const children = Array.from({ length: siblings + 1 }, (_, n) => aTask({ ...running, id: idOf(n), pool: rootId }))
    for (const child of children) await createTask(world.ports, child, [], await openShares(world.ports, child, rootId))
    const revs = new Set<string | undefined>()
    for (let n = 0; n < 10_000; n++) {
      await reportProgress(world.ports, caller, idOf(0), { fence, usage: { tokens: 10 } })
      revs.add(world.main.get({ pk: `default#task#${rootId}`, sk: 'pool' })?.rev)
    }
    expect(headOf(world, idOf(0))).toMatchObject({ status: 'RUNNING', usage: { tokens: 100_000 } })
    expect(revs.size).toBeLessThan(siblings === 0 ? 70 : 500)
    await reportProgress(world.ports, caller, idOf(0), { fence, usage: { tokens: 1 } })
    expect(headOf(world, idOf(0))).toMatchObject({ status: 'FAILED', failure: { code: 'BUDGET' } })
  }
})

/** Children of a root with so many tokens, that are under way. */
const plantChildren = async (world: World, tokens: number): Promise<void> => {
  plant(world, tokens)
  for (const n of [1, 2]) {
    const child = aTask({ ...running, id: idOf(n), parent: rootId, pool: rootId })
    await createTask(world.ports, child, [], await openShares(world.ports, child, rootId))
  }
}

it('what a completion has spent is not taken for spent by nobody before it is stored', async () => {
  const world = scheduledPorts(atOnce)
  await plantChildren(world, 10)
  let others = 0
  const main: Table = {
    ...world.ports.main,
    async transact(writes) {
      const ends = writes.some(({ op, ...rest }) => op === 'put' && 'item' in rest && rest.item.type === 'task')
      if (ends && others++ === 0) await reportProgress(world.ports, caller, idOf(2), { fence, usage: { tokens: 8 } })
      return world.ports.main.transact(writes)
    },
  }
  await completeTask({ ...world.ports, main }, caller, idOf(1), { fence, usage: { tokens: 8 } })
  expect(headOf(world, idOf(1))).toMatchObject({ status: 'SUCCEEDED', usage: { tokens: 8 } })
  expect(headOf(world, idOf(2))).toMatchObject({ status: 'FAILED', failure: { code: 'BUDGET' } })
})

/** Two that are under way on a hundred tokens: the second one has spent 45, and taken some ahead. */
const plantAhead = async (world: World): Promise<void> => {
  await plantChildren(world, 100)
  for (let n = 0; n < 9; n++) await reportProgress(world.ports, caller, idOf(2), { fence, usage: { tokens: 5 } })
  expect(poolOf(world)?.used.tokens).toBeGreaterThan(45)
}

it('a completion gets what others took ahead, and does not take its own share for that', async () => {
  const world = scheduledPorts(atOnce)
  await plantAhead(world)
  await reportProgress(world.ports, caller, idOf(1), { fence, usage: { tokens: 11 } })
  await complete(world, idOf(1), 44)
  expect(headOf(world, idOf(1))).toMatchObject({ status: 'SUCCEEDED', usage: { tokens: 55 } })
})

it('a completion gets what others took ahead although they take it again as soon as it went back', async () => {
  const world = scheduledPorts(atOnce)
  await plantAhead(world)
  let more = 1
  const main: Table = {
    ...world.ports.main,
    async transact(writes) {
      const outcome = await world.ports.main.transact(writes)
      const back = writes.some(({ op, ...rest }) => op === 'check' && 'key' in rest && rest.key.pk.endsWith(idOf(2)))
      if (back && more === 1) {
        more--
        await reportProgress(world.ports, caller, idOf(2), { fence, usage: { tokens: 1 } })
      }
      return outcome
    },
  }
  await completeTask({ ...world.ports, main }, caller, idOf(1), { fence, usage: { tokens: 54 } })
  expect(headOf(world, idOf(1))).toMatchObject({ status: 'SUCCEEDED' })
  expect([more, poolOf(world)?.used.tokens]).toEqual([0, 100])
})

it.each([
  ['is changed by others all the time', async () => ({ ok: false as const, conflicts: [] })],
  ['cannot be written', () => Promise.reject(new Error('throttled'))],
])(
  'a report is taken although the budget %s, and charged with the next one, which is not taken before it is',
  async (_, transact) => {
    const world = scheduledPorts(atOnce)
    await plantChildren(world, 10)
    const ports = { ...world.ports, main: { ...world.ports.main, transact } }
    const { usage } = await reportProgress(ports, caller, idOf(1), { fence, usage: { tokens: 6 } })
    expect([usage, poolOf(world)?.used.tokens ?? 0]).toEqual([{ tokens: 6 }, 0])
    const again = reportProgress(ports, caller, idOf(1), { fence, usage: { tokens: 2 } })
    await expect(again).rejects.toThrow()
    expect(headOf(world, idOf(1))?.usage).toEqual({ tokens: 6 })
    await reportProgress(world.ports, caller, idOf(1), { fence, usage: { tokens: 1 } })
    expect([headOf(world, idOf(1))?.owes, poolOf(world)?.used.tokens]).toEqual([undefined, 7])
  },
)

it('reports that come at once go over a budget by one of each task at most', () =>
  fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 30 }), async (scheduler, tokens) => {
      const world = scheduledPorts(scheduler)
      await scheduler.waitFor(plantChildren(world, tokens))
      const report = async (id: string): Promise<void> => {
        for (let n = 0; n < 4; n++)
          if (
            (await reportProgress(world.ports, caller, id, { fence, usage: { tokens: 3 } }).catch(refused)) ===
            'STALE_FENCE'
          )
            return
      }
      const ids = [idOf(1), idOf(2)]
      await scheduler.waitFor(Promise.all([...ids, ...ids, ...ids].map(report)))
      const used = sum(ids.map((id) => headOf(world, id)?.usage?.tokens ?? 0))
      expect(used).toBeLessThanOrEqual(tokens + 2 * 3)
      expect(poolOf(world)?.used.tokens).toBeGreaterThanOrEqual(Math.min(tokens, used))
    }),
    { numRuns: 100 },
  ))
