import fc from 'fast-check'
import { expect, it } from 'vitest'
import { grantSeconds } from '#shared/domain/budgets/grant-seconds.ts'
import { openShares, ownPool } from '#shared/domain/budgets/open-shares.ts'
import type { Pool, Share } from '#shared/domain/budgets/pool.ts'
import { finishShares } from '#shared/domain/budgets/settle.ts'
import { trimShares } from '#shared/domain/budgets/trim-shares.ts'
import type { Caller } from '#shared/domain/caller.ts'
import { dueQueue } from '#shared/domain/dispatch/due.ts'
import type { Instance } from '#shared/domain/instances/instance.ts'
import { attendTask } from '#shared/domain/tasks/attend-task.ts'
import { claim } from '#shared/domain/tasks/claim-task.ts'
import { completeTask } from '#shared/domain/tasks/complete-task.ts'
import { reportProgress } from '#shared/domain/tasks/report-progress.ts'
import { isFinished, type Task } from '#shared/domain/tasks/task.ts'
import { loseLease } from '#shared/domain/tasks/task-moves.ts'
import { changeTask, createTask, getTask } from '#shared/domain/tasks/task-store.ts'
import type { Platform, Table, Write } from '#shared/platform/platform.ts'
import { aTask } from '#test/support/builders.ts'
import { atOnce, scheduledPorts } from './scheduled-ports.ts'

type World = ReturnType<typeof scheduledPorts>
const caller: Caller = { tenant: 'default', principal: { kind: 'key', id: 'k', role: 'admin' }, requestId: 'r' }
const idOf = (n: number): string => `tsk_000000000000000000000000${String(n).padStart(2, '0')}`
const rootId = idOf(99)
const deadline = 1_900_000_000_000
const { agent, version } = { agent: 'agt_00000000000000000000000001', version: '1.0.0' }
const anInstance = (id: string) =>
  ({ id, tenant: 'default', agent, version, labels: {}, slots: 9 }) as unknown as Instance

const headOf = ({ main }: World, n: number): Task =>
  main.get<Task>({ pk: `default#task#${idOf(n)}`, sk: 'head' })?.value ?? aTask()
const poolOf = ({ main }: World): Pool | undefined =>
  main.get<Pool>({ pk: `default#task#${rootId}`, sk: 'pool' })?.value
const heldBy = ({ main }: World, n: number): number =>
  main.get<Share>({ pk: `default#task#${rootId}`, sk: `share#${idOf(n)}` })?.value.held.seconds ?? 0

/** A root with so many seconds, and so many children of it that wait for their turn. */
const plant = async (world: World, seconds: number, children: number, more: Partial<Task> = {}): Promise<void> => {
  const root = aTask({ id: rootId, status: 'WAITING', deadline, budget: { seconds, tokens: 5 }, pool: rootId })
  for (const item of ownPool(root, undefined)) world.main.write({ op: 'put', item, expect: 'any' })
  for (let n = 0; n < children; n++) {
    const child = aTask({ id: idOf(n), parent: rootId, pool: rootId, deadline, ...more })
    await createTask(world.ports, child, [], await openShares(world.ports, child, rootId))
  }
}

const take = ({ ports }: World, n: number, by = 'ins_1') => claim(ports, anInstance(by), idOf(n))
const end = async (world: World, n: number, fence: string): Promise<void> => {
  await completeTask(world.ports, caller, idOf(n), { fence })
  await finishShares(world.ports, headOf(world, n))
}
/** The holder is gone; what the projector does of that comes whenever it comes. */
const lose = async ({ ports }: World, n: number): Promise<Task> => {
  const lost = (task: Task) => ({ ...loseLease(task, { now: ports.clock.now(), message: 'gone' }), leaseLosses: 0 })
  const start = await getTask(ports, 'default', idOf(n))
  return (await changeTask(ports, start, (task) => ({ task: lost(task), answer: undefined }))).task
}

/** Does something just before a head becomes RUNNING, once. */
const beforeLease = ({ ports }: World, act: () => Promise<unknown>): Platform => {
  let acts = 1
  const look = async (writes: Write[]): Promise<void> => {
    const leases = writes.some((write) => write.op === 'put' && (write.item.value as Task).status === 'RUNNING')
    if (leases && acts-- > 0) await act()
  }
  const main: Table = {
    ...ports.main,
    write: async (write) => look([write]).then(() => ports.main.write(write)),
    transact: async (writes) => look(writes as Write[]).then(() => ports.main.transact(writes)),
  }
  return { ...ports, main }
}

it('an attempt holds the seconds that it was told of, although others settle what the one before it left', async () => {
  const world = scheduledPorts(atOnce)
  await plant(world, 8, 1, { ranSeconds: 1 })
  const ports = beforeLease(world, () => trimShares(world.ports, headOf(world, 0)))
  expect(await claim(ports, anInstance('ins_1'), idOf(0))).toMatchObject({ isNew: true })
  const { lease } = headOf(world, 0)
  expect(heldBy(world, 0)).toBeCloseTo(1 + ((lease?.budgetAt ?? 0) - (lease?.since ?? 0)) / 1000)
})

it('an attempt holds no seconds that it did not get: a claim that fails gives back what it took', async () => {
  const world = scheduledPorts(atOnce)
  await plant(world, 8, 1)
  const ports = beforeLease(world, () => Promise.reject(new Error('throttled')))
  await expect(claim(ports, anInstance('ins_1'), idOf(0))).rejects.toThrow('throttled')
  expect([headOf(world, 0).status, heldBy(world, 0)]).toEqual(['QUEUED', 0])
})

it('a task waits while another one is about to start on the last seconds', async () => {
  const world = scheduledPorts(atOnce)
  await plant(world, 1, 2)
  let other: unknown
  const ports = beforeLease(world, async () => {
    other = await take(world, 1)
  })
  expect(await claim(ports, anInstance('ins_1'), idOf(0))).toMatchObject({ isNew: true })
  expect([other, headOf(world, 1).status]).toEqual(['reserved', 'QUEUED'])
  await end(world, 0, '1.1')
  expect(await take(world, 1)).toMatchObject({ isNew: true })
})

it('a task waits for seconds of a child that is about to be stored, and has them when that never is', async () => {
  const world = scheduledPorts(atOnce)
  await plant(world, 4, 1)
  await openShares(world.ports, aTask({ id: idOf(1), parent: rootId, budget: { seconds: 4 }, pool: idOf(1) }), rootId)
  expect(await take(world, 0)).toBe('reserved')
  world.forward(31_000)
  expect(await take(world, 0)).toMatchObject({ isNew: true })
})

it('a task for which something else is gone as well does not wait for seconds', async () => {
  const world = scheduledPorts(atOnce)
  await plant(world, 1, 2)
  await take(world, 0)
  await reportProgress(world.ports, caller, idOf(0), { fence: '1.1', usage: { tokens: 5 } })
  await take(world, 1)
  expect([headOf(world, 0).status, headOf(world, 1).failure?.code]).toEqual(['RUNNING', 'BUDGET'])
})

it('a task that waits keeps no seconds for which nobody starts it: whoever reserved them has died', async () => {
  const world = scheduledPorts(atOnce)
  await plant(world, 8, 1)
  await grantSeconds(world.ports, headOf(world, 0))
  expect(heldBy(world, 0)).toBe(2)
  world.forward(60_000)
  await attendTask(world.ports, 'default', idOf(0))
  expect([headOf(world, 0).status, heldBy(world, 0)]).toEqual(['QUEUED', 0])
})

const alive = { pk: 'default#instance#ins_1', sk: 'lease', type: 'lease', value: { expiresAt: deadline } }
/** The seconds of an attempt are over, and it goes on. */
const outlive = async (world: World, n: number): Promise<void> => {
  world.volatile.write({ op: 'put', item: alive, expect: 'any' })
  world.forward((headOf(world, n).lease?.budgetAt ?? 0) - world.ports.clock.now())
  await attendTask(world.ports, 'default', idOf(n))
}

it('somebody looks when the seconds of an attempt are over, and again when those are that it took on top', async () => {
  const world = scheduledPorts(atOnce)
  await plant(world, 8, 1)
  await take(world, 0)
  const isReminder = ({ queue }: { queue: string }) => queue === dueQueue
  expect(world.sent.filter(isReminder)).toMatchObject([{ body: `default ${idOf(0)}`, delaySeconds: 2 }])
  await outlive(world, 0)
  expect(world.sent.filter(isReminder)).toMatchObject([{}, { body: `default ${idOf(0)}`, delaySeconds: 1.5 }])
})

it('an attempt does not end for the lack of seconds that another one which is over did not need', async () => {
  const world = scheduledPorts(atOnce)
  await plant(world, 2, 2)
  await take(world, 0)
  await take(world, 1)
  await completeTask(world.ports, caller, idOf(1), { fence: '1.1' })
  await outlive(world, 0)
  expect(headOf(world, 0).status).toBe('RUNNING')
  await outlive(world, 0)
  expect(headOf(world, 0)).toMatchObject({ ranSeconds: 2, failure: { code: 'BUDGET' } })
})

/** How long an attempt runs (ms), who would like to have it, and how it ends. */
type Attempt = { ms: number; rivals: number; lost: boolean }
const attempts: fc.Arbitrary<Attempt> = fc.record({ ms: fc.nat(4000), rivals: fc.nat(1), lost: fc.boolean() })

/** Lives of tasks in a world whose clock moves while nobody claims, and never past the seconds of an attempt. */
const livesIn = (world: World, children: number) => {
  const heads = () => Array.from({ length: children }, (_, n) => headOf(world, n))
  let claiming = 0
  const pass = (ms: number): void => {
    const left = heads().flatMap(({ lease }) => (lease?.budgetAt ? [lease.budgetAt - world.ports.clock.now()] : []))
    if (claiming === 0) world.forward(Math.max(0, Math.min(ms, ...left)))
  }
  const start = async (n: number, rivals: number): Promise<string | undefined> => {
    for (let tries = 0; tries < 50; tries++) {
      claiming++
      await Promise.all(['ins_1', 'ins_2'].slice(0, 1 + rivals).map((by) => take(world, n, by)))
      claiming--
      const { lease, status } = headOf(world, n)
      if (lease || status === 'FAILED') return lease?.fence
      await world.ports.clock.sleep(1000)
    }
  }
  const live = async (n: number, all: Attempt[]): Promise<void> => {
    const settling: Promise<void>[] = []
    for (const { ms, rivals, lost } of all) {
      const fence = await start(n, rivals)
      if (fence === undefined) break
      for (let looks = 0; looks < 4; looks++) {
        await world.ports.clock.sleep(1)
        pass(ms / 4)
      }
      if (!lost) {
        await end(world, n, fence)
        break
      }
      settling.push(trimShares(world.ports, await lose(world, n)))
    }
    await Promise.all(settling)
    if (isFinished(headOf(world, n))) await finishShares(world.ports, headOf(world, n))
  }
  return { heads, live }
}

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0)
/** What a task has run, and may still run without asking again. */
const boundTo = ({ ranSeconds = 0, lease }: Task): number =>
  ranSeconds + (lease?.budgetAt ? (lease.budgetAt - lease.since) / 1000 : 0)

it('what is spent and what attempts may still run is never more than the budget, and nobody fails who could have had some', () =>
  fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.integer({ min: 1, max: 12 }),
      fc.array(fc.array(attempts, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 }),
      async (scheduler, seconds, all) => {
        let most = 0
        let bare = 0
        const onCommit = (): void => {
          most = Math.max(most, sum(heads().map(boundTo)))
          bare = Math.max(bare, ...heads().map((head, n) => (head.lease ? boundTo(head) - heldBy(world, n) : 0)))
        }
        const world: World = scheduledPorts(scheduler, { onCommit: () => onCommit() })
        const { heads, live } = livesIn(world, all.length)
        await scheduler.waitFor(plant(world, seconds, all.length))
        await scheduler.waitFor(Promise.all(all.map((one, n) => live(n, one))))
        expect(most).toBeLessThanOrEqual(seconds + 0.001 * all.length)
        expect(bare).toBeLessThanOrEqual(0.001)
        expect(poolOf(world)?.used.seconds ?? 0).toBeLessThanOrEqual(seconds)
        const spent = sum(heads().map(({ ranSeconds = 0 }) => ranSeconds))
        if (heads().some(({ failure }) => failure?.code === 'BUDGET')) expect(spent).toBeGreaterThan(seconds - 0.01)
      },
    ),
    { numRuns: 150 },
  ))
