import type { Platform } from '../../platform/platform.ts'
import { invalid } from '../domain-error.ts'
import { listTasks } from '../tasks/list-tasks.ts'
import { isFinished } from '../tasks/task.ts'
import { countedKey } from './count-usage.ts'
import { dayOf, sumUse, type Used } from './usage.ts'
import { type DayUse, daysBetween } from './usage-store.ts'

type Ports = Pick<Platform, 'main' | 'clock'>

export type UsageBy = 'tenant' | 'agent' | 'day' | 'task'
export type UsageRow = { key: string; used: Used }
export type UsageReport = { since: string; until: string; rows: UsageRow[]; totals: Used; cursor?: string }

/** What ended without anybody to do it; no agent can be named so. */
const noAgent = '(no agent)'

const dayMs = 24 * 3_600_000
const maxDays = 366

/** Days of the range, in UTC; the last 30 unless said otherwise. */
const daysOf = (ports: Ports, { since, until }: { since?: number; until?: number }) => {
  const last = until ?? ports.clock.now()
  const first = since ?? last - 29 * dayMs
  if (first > last) throw invalid('#/query/since', 'RANGE', 'since is later than until')
  if (last - first > maxDays * dayMs) throw invalid('#/query/since', 'RANGE', `at most ${maxDays} days at once`)
  return { since: dayOf(first), until: dayOf(last) }
}

/** What was used by the tasks that ended on some days, by agent, by day, or in all. */
export const readUsage = async (
  ports: Ports,
  tenant: string,
  { by, ...range }: { by: Exclude<UsageBy, 'task'>; since?: number; until?: number },
): Promise<UsageReport> => {
  const days = daysOf(ports, range)
  const found = await daysBetween(ports, tenant, days)
  const keyOf = { tenant: () => tenant, agent: ({ agent }: DayUse) => agent || noAgent, day: ({ day }: DayUse) => day }[
    by
  ]
  const rows = [...Map.groupBy(found, keyOf)].map(([key, all]) => ({ key, used: sumUse(all.map(({ used }) => used)) }))
  const sorted = rows.toSorted((a, b) => (a.key < b.key ? -1 : 1))
  return { ...days, rows: sorted, totals: sumUse(rows.map(({ used }) => used)) }
}

/** What each of the tasks used that were submitted on some days and have ended, newest first. */
export const readUsageOfTasks = async (
  ports: Ports,
  tenant: string,
  { limit, cursor, ...range }: { since?: number; until?: number; limit: number; cursor?: string },
): Promise<UsageReport> => {
  const days = daysOf(ports, range)
  const filter = {
    labels: [],
    since: Date.parse(days.since),
    until: Date.parse(days.until) + dayMs,
  }
  const page = await listTasks(ports, tenant, { filter, limit, cursor })
  const ended = page.items.filter(isFinished)
  const counted =
    ended.length === 0 ? [] : await ports.main.getMany<DayUse>(ended.map(({ id }) => countedKey(tenant, id)))
  const rows = ended.flatMap(({ id }, at) => (counted[at] ? [{ key: id, used: counted[at].value.used }] : []))
  return { ...days, rows, totals: sumUse(rows.map(({ used }) => used)), cursor: page.cursor }
}
