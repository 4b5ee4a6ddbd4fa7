import { expect, it } from 'vitest'
import { attendPool, auditPool } from '#shared/domain/budgets/audit-pool.ts'
import { openShares, ownPool } from '#shared/domain/budgets/open-shares.ts'
import type { Pool, Share } from '#shared/domain/budgets/pool.ts'
import { finishShares } from '#shared/domain/budgets/settle.ts'
import type { Budget, Task } from '#shared/domain/tasks/task.ts'
import { createTask } from '#shared/domain/tasks/task-store.ts'
import type { Table } from '#shared/platform/platform.ts'
import { atOnce, scheduledPorts } from '#test/model/scheduled-ports.ts'
import { aTask } from '#test/support/builders.ts'

const idOf = (n: number): string => `tsk_${String(n).padStart(26, '0')}`
const aChild = (n: number, parent: string): Task => aTask({ id: idOf(n), parent, pool: parent })

/** A pool below another one, with the ports of whoever opens shares of them. */
const aWorld = (of: { root: Budget; below?: Budget }) => {
  const world = scheduledPorts(atOnce)
  const { ports, main } = world
  const root = aTask({ id: idOf(98), budget: of.root, pool: idOf(98) })
  const below = aTask({ id: idOf(99), budget: of.below, pool: idOf(99), parent: root.id })
  for (const item of [...ownPool(root, undefined), ...ownPool(below, root.id)])
    main.write({ op: 'put', item, expect: 'any' })
  return {
    ...world,
    root: root.id,
    below: below.id,
    shareOf: (pool: string, task: string) =>
      main.get<Share>({ pk: `default#task#${pool}`, sk: `share#${task}` })?.value.held,
    poolOf: (pool: string) => main.get<Pool>({ pk: `default#task#${pool}`, sk: 'pool' })?.value,
    audit: (pool: string) => auditPool(ports, 'default', pool),
  }
}

it('a task whose shares went because it was stored too late is not stored, and gets all of them when it comes again', async () => {
  const { ports, forward, root, below, shareOf, poolOf, audit } = aWorld({
    root: { children: 5 },
    below: { tokens: 9 },
  })
  const child = aChild(1, below)
  const shares = await openShares(ports, child, below)
  forward(31_000)
  await audit(root)
  expect([shareOf(root, child.id), shareOf(below, child.id)]).toEqual([undefined, {}])
  await expect(createTask(ports, child, [], shares)).rejects.toMatchObject({ code: 'CONTENDED' })
  const again = await openShares(ports, child, below)
  expect(await createTask(ports, child, [], again)).toBeUndefined()
  expect([shareOf(root, child.id), poolOf(root)?.used]).toMatchObject([{ children: 1 }, { children: 1 }])
})

it('the pool of a task that has ended closes although a child took a share and was never stored', async () => {
  const { ports, forward, root, poolOf } = aWorld({ root: { children: 5 } })
  const ended = aTask({ id: root, budget: { children: 5 }, pool: root, status: 'SUCCEEDED' })
  await openShares(ports, aChild(1, root), root)
  await finishShares(ports, ended)
  await attendPool(ports, ended)
  expect(poolOf(root)).toMatchObject({ open: 1, dueAt: ports.clock.now() + 30_000 })
  forward(31_000)
  await attendPool(ports, ended)
  expect(poolOf(root)).toMatchObject({ open: 0, closed: true, used: { children: 0 } })
})

it('the budgets of a deep tree that was cancelled go back in a few steps for each', async () => {
  const { ports, main } = scheduledPorts(atOnce)
  const depth = 12
  const tree = Array.from({ length: depth }, (_, n) => {
    const above = n === 0 ? undefined : idOf(n - 1)
    return aTask({ id: idOf(n), budget: { tokens: 100 - n }, pool: idOf(n), parent: above, status: 'CANCELLED' })
  })
  for (const task of tree) {
    for (const item of ownPool(task, task.parent)) main.write({ op: 'put', item, expect: 'any' })
    await openShares(ports, task, task.parent)
  }
  let reads = 0
  const counted: Table = {
    ...ports.main,
    async get(key) {
      reads++
      return ports.main.get(key)
    },
  }
  for (const task of tree) await finishShares({ ...ports, main: counted }, task)
  const pools = tree.map(({ id }) => main.get<Pool>({ pk: `default#task#${id}`, sk: 'pool' })?.value)
  expect(pools.map((pool) => [pool?.open, pool?.closed])).toEqual(tree.map(() => [0, true]))
  expect(reads).toBeLessThan(1000)
})

it('a task that is stored just before its shares would go keeps them', async () => {
  const { ports, forward, root, shareOf } = aWorld({ root: { children: 5 } })
  const child = aChild(1, root)
  const shares = await openShares(ports, child, root)
  forward(31_000)
  const main: Table = {
    ...ports.main,
    async transact(writes) {
      if (writes.some(({ op }) => op === 'delete')) await createTask(ports, child, [], shares)
      return ports.main.transact(writes)
    },
  }
  await auditPool({ ...ports, main }, 'default', root)
  expect(shareOf(root, child.id)).toEqual({ children: 1 })
})

it('a full pool of many is looked through less and less often', async () => {
  const { ports, forward, root } = aWorld({ root: { children: 1000 } })
  for (let n = 0; n < 250; n++) {
    const child = aChild(n, root)
    await createTask(ports, child, [], await openShares(ports, child, root))
  }
  let reads = 0
  const main: Table = {
    ...ports.main,
    async queryKeys(query) {
      reads++
      return ports.main.queryKeys(query)
    },
  }
  for (let second = 0; second < 120; second++) {
    await auditPool({ ...ports, main }, 'default', root)
    forward(1000)
  }
  expect(reads).toBeLessThan(10)
})
