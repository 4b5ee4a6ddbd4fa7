import type { Attempt } from '../tasks/attempts.ts'
import type { Task } from '../tasks/task.ts'

/** What was used: `seconds` as the platform measured them, `cost` and `compute` in US dollars. */
export type Used = {
  tasks: number
  succeeded: number
  failed: number
  cancelled: number
  attempts: number
  seconds: number
  tokens: number
  /** What agents reported. */
  cost: number
  /** What the time of the attempts costs, by the prices of their resource class. */
  compute: number
}

export const noUse: Used = {
  tasks: 0,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  attempts: 0,
  seconds: 0,
  tokens: 0,
  cost: 0,
  compute: 0,
}

const rounded = (value: number): number => Math.round(value * 1e9) / 1e9

export const addUse = (one: Used, other: Used): Used =>
  Object.fromEntries((Object.keys(noUse) as (keyof Used)[]).map((key) => [key, rounded(one[key] + other[key])])) as Used

export const sumUse = (all: Used[]): Used => all.reduce(addUse, noUse)

/** US dollars for the time of attempts; nothing unless a price is set for the class or as `default`. */
export const computeCost = (
  seconds: number,
  prices: Record<string, number> | undefined,
  resourceClass: string | undefined,
): number => {
  const own = resourceClass !== undefined && Object.hasOwn(prices ?? {}, resourceClass)
  const perHour = prices?.[own ? resourceClass : 'default'] ?? 0
  return rounded((seconds / 3600) * perHour)
}

/** What a task that has ended used in all. */
export const useOfTask = (
  { status, attempt, usage, ranSeconds = 0 }: Pick<Task, 'status' | 'attempt' | 'usage' | 'ranSeconds'>,
  compute: number,
): Used => ({
  tasks: 1,
  succeeded: status === 'SUCCEEDED' ? 1 : 0,
  failed: status === 'FAILED' ? 1 : 0,
  cancelled: status === 'CANCELLED' ? 1 : 0,
  attempts: attempt,
  seconds: rounded(ranSeconds),
  tokens: usage?.tokens ?? 0,
  cost: usage?.cost ?? 0,
  compute,
})

/** Seconds of an attempt, by its times; of a running one until now. */
export const secondsOf = ({ startedAt, finishedAt }: Pick<Attempt, 'startedAt' | 'finishedAt'>, now: number): number =>
  Math.max(0, (finishedAt ?? now) - startedAt) / 1000

/** The UTC day of a time, `2026-01-31`. */
export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
