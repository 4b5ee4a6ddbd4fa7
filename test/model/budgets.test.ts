import fc from 'fast-check'
import { expect, it } from 'vitest'
import { auditPool } from '#shared/domain/budgets/audit-pool.ts'
import { chargeReport } from '#shared/domain/budgets/charge.ts'
import { openShares, ownPool } from '#shared/domain/budgets/open-shares.ts'
import type { Pool } from '#shared/domain/budgets/pool.ts'
import { finishShares } from '#shared/domain/budgets/settle.ts'
import { isContended } from '#shared/domain/contention.ts'
import { DomainError } from '#shared/domain/domain-error.ts'
import type { Task } from '#shared/domain/tasks/task.ts'
import { createTask } from '#shared/domain/tasks/task-store.ts'
import { aTask } from '#test/support/builders.ts'
import { scheduledPorts } from './scheduled-ports.ts'

type World = ReturnType<typeof scheduledPorts>
const idOf = (n: number): string => `tsk_000000000000000000000000${String(n).padStart(2, '0')}`
const rootId = idOf(99)

const store = ({ main }: World, task: Task): void =>
  void main.write({
    op: 'put',
    item: { pk: `default#task#${task.id}`, sk: 'head', type: 'task', value: task },
    expect: 'any',
  })

const poolOf = ({ main }: World, task: string): Pool | undefined =>
  main.get<Pool>({ pk: `default#task#${task}`, sk: 'pool' })?.value

/** A child: what it asks for itself, what it reports, and how the process fares that stores it. */
type Wish = { own?: number; reports: number[]; fate: 'stores' | 'dies' | 'is late' }
/** What was charged of a child that was stored, and what it took of its parent for itself. */
type Lived = { spent: number; stored: boolean }

/** Submits, reports and ends one child as the use-cases do. */
const live = async (world: World, n: number, { own, reports, fate }: Wish): Promise<Lived> => {
  const budget = own === undefined ? undefined : { tokens: own }
  const id = idOf(n)
  const task = aTask({ id, parent: rootId, budget, pool: budget ? id : rootId, status: 'RUNNING' })
  try {
    const shares = await openShares(world.ports, task, rootId)
    if (fate === 'is late') world.forward(31_000)
    const audit = fate === 'is late' && auditPool(world.ports, 'default', rootId)
    if (fate === 'dies') return { spent: 0, stored: false }
    const [stored] = await Promise.allSettled([createTask(world.ports, task, ownPool(task, rootId), shares), audit])
    if (stored.status === 'rejected') throw stored.reason
  } catch (error) {
    if (isContended(error) || (error instanceof DomainError && error.code === 'BUDGET'))
      return { spent: 0, stored: false }
    throw error
  }
  let spent = 0
  for (const tokens of reports) {
    store(world, { ...task, usage: { tokens: spent + tokens } })
    const { spent: why, owes } = await chargeReport(world.ports, { ...task, usage: { tokens: spent + tokens } })
    expect(owes).toBeUndefined()
    if (why !== undefined) break
    spent += tokens
  }
  const ended: Task = { ...task, usage: { tokens: spent }, status: 'SUCCEEDED' }
  store(world, ended)
  await finishShares(world.ports, ended)
  return { spent, stored: true }
}

const wishArbitrary: fc.Arbitrary<Wish> = fc.record(
  {
    own: fc.integer({ min: 1, max: 10 }),
    reports: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }),
    fate: fc.constantFrom('stores', 'stores', 'dies', 'is late'),
  },
  { requiredKeys: ['reports', 'fate'] },
)

it('children never spend more than their parent has, however they run beside each other, and the rest goes back', () =>
  fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.integer({ min: 1, max: 20 }),
      fc.array(wishArbitrary, { minLength: 1, maxLength: 6 }),
      async (scheduler, tokens, wishes) => {
        const world = scheduledPorts(scheduler)
        const root = aTask({ id: rootId, budget: { tokens, children: 5 }, pool: rootId, status: 'RUNNING' })
        store(world, root)
        for (const item of ownPool(root, undefined)) world.main.write({ op: 'put', item, expect: 'any' })
        const lived = await scheduler.waitFor(Promise.all(wishes.map((wish, n) => live(world, n, wish))))
        const total = lived.reduce((sum, { spent }) => sum + spent, 0)
        expect(total).toBeLessThanOrEqual(tokens)
        expect(poolOf(world, rootId)?.used.children ?? 0).toBeLessThanOrEqual(5)
        world.forward(31_000) // who died is known to be dead
        await scheduler.waitFor(auditPool(world.ports, 'default', rootId))
        const { open, used } = poolOf(world, rootId) ?? {}
        const children = lived.filter(({ stored }) => stored).length
        expect({ open, tokens: used?.tokens ?? 0, children: used?.children ?? 0 }).toEqual({
          open: 1,
          tokens: total,
          children,
        })
        await scheduler.waitFor(finishShares(world.ports, { ...root, status: 'SUCCEEDED' }))
        expect(poolOf(world, rootId)).toMatchObject({ open: 0, closed: true })
      },
    ),
    { numRuns: 200 },
  ))
