import type { Key, Platform } from '../../platform/platform.ts'
import type { Used } from './usage.ts'

/** What the tasks of an agent that ended on a day used. */
export type DayUse = { agent: string; day: string; used: Used }

const monthPk = (tenant: string, month: string): string => `${tenant}#usage#${month}`

/** A month is a partition. */
export const aggregateKey = (
  tenant: string,
  { day, agent, shard }: { day: string; agent: string; shard: number },
): Key => ({ pk: monthPk(tenant, day.slice(0, 7)), sk: `${day}#${agent}#${shard}` })

const monthsBetween = (since: string, until: string): string[] => {
  const months: string[] = []
  for (let month = since.slice(0, 7); month <= until.slice(0, 7); ) {
    months.push(month)
    const [year = 0, of = 1] = month.split('-').map(Number)
    month = of === 12 ? `${year + 1}-01` : `${year}-${String(of + 1).padStart(2, '0')}`
  }
  return months
}

/** Sums of the days from `since` to `until`, both included. */
export const daysBetween = async (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  { since, until }: { since: string; until: string },
): Promise<DayUse[]> => {
  const found: DayUse[] = []
  for (const month of monthsBetween(since, until)) {
    let cursor: string | undefined
    do {
      const range = { after: since, before: `${until}$` } // `#`, which follows a day, is less than `$`
      const page = await main.query<DayUse>({ pk: monthPk(tenant, month), ...range, limit: 1000, cursor })
      found.push(...page.items.map(({ value }) => value))
      cursor = page.cursor
    } while (cursor !== undefined)
  }
  return found
}
