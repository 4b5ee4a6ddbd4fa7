import type { Platform } from '../../platform/platform.ts'
import { budgetLeft } from '../budgets/left.ts'
import type { Amounts } from '../budgets/pool.ts'
import { knownLimits } from '../limits/limits-store.ts'
import { type Attempt, readAttempts } from '../tasks/attempts.ts'
import type { Budget, Usage } from '../tasks/task.ts'
import { getTask } from '../tasks/task-store.ts'
import { computeCost, secondsOf } from './usage.ts'

type Ports = Pick<Platform, 'main' | 'clock'>

/** What one attempt used: its time is the platform's, the rest it told itself. */
export type AttemptUse = Attempt & { seconds: number; compute: number }
export type TaskUse = {
  attempts: AttemptUse[]
  totals: { seconds: number; tokens: number; cost: number; compute: number }
  budget?: Budget
  /** What it may still use, by all budgets that bound it. */
  left?: Amounts
}

/** The ledger of a task: a row for each attempt. */
export const readTaskUsage = async (ports: Ports, tenant: string, id: string): Promise<TaskUse> => {
  const { value: task } = await getTask(ports, tenant, id)
  const [attempts, known, left] = await Promise.all([
    readAttempts(ports, task),
    knownLimits(ports, tenant, task.target?.agent),
    budgetLeft(ports, task),
  ])
  const now = ports.clock.now()
  const rows = attempts.map((attempt): AttemptUse => {
    const seconds = secondsOf(attempt, now)
    return { ...attempt, seconds, compute: computeCost(seconds, known.limits.prices, known.resourceClass) }
  })
  const total = (pick: (row: AttemptUse) => number) => rows.reduce((sum, row) => sum + pick(row), 0)
  const of = (name: keyof Usage) => (row: AttemptUse) => row.usage?.[name] ?? 0
  const seconds = total((row) => row.seconds)
  const totals = {
    seconds: Math.round(seconds * 1000) / 1000,
    tokens: total(of('tokens')),
    cost: Math.round(total(of('cost')) * 1e9) / 1e9,
    compute: Math.round(total((row) => row.compute) * 1e9) / 1e9,
  }
  return { attempts: rows, totals, budget: task.budget, left }
}
