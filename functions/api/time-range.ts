import { invalid } from '#shared/domain/domain-error.ts'

type Range = { since?: string; until?: string }

const ms = (time: string | undefined): number | undefined => (time === undefined ? undefined : Date.parse(time))

/** `since` and `until` in milliseconds; refused where nothing can lie between them. `at` is where they are given. */
export const timeRange = (range: Range, at: string): { since?: number; until?: number } => {
  const [since, until] = [ms(range.since), ms(range.until)]
  if (since !== undefined && until !== undefined && since > until)
    throw invalid(`${at}/since`, 'RANGE', 'since is later than until')
  return { since, until }
}
