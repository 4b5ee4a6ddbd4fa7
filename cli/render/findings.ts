import colors from 'picocolors'
import { type Finding, findingsOf, type ReviewResult, type Severity } from '../review/review.ts'
import { renderTable } from './table.ts'

const paint: Record<Severity, (text: string) => string> = {
  error: colors.red,
  warning: colors.yellow,
  info: colors.dim,
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

const row = ({ file, line, severity, rule, message }: Finding): string[] => [
  line > 0 ? `${file}:${line}` : file,
  paint[severity](severity),
  rule,
  message,
]

const columns = [{ title: 'PLACE' }, { title: 'SEVERITY' }, { title: 'RULE' }, { title: 'MESSAGE', wrap: true }]

/** One line that sums a review up. */
export const reviewSummary = ({ counts, files, lines }: ReviewResult): string => {
  const parts = (['error', 'warning', 'info'] as const).filter((one) => counts[one] > 0)
  const found = parts.map((one) => (one === 'info' ? `${counts.info} info` : plural(counts[one], one))).join(', ')
  return `${found || 'no findings'} in ${plural(files, 'file')} (${plural(lines, 'line')})`
}

/** A review as a person reads it; at most `most` findings are shown. */
export const renderFindings = (
  result: ReviewResult,
  { width, most = Number.POSITIVE_INFINITY }: { width?: number; most?: number } = {},
): string => {
  const findings = findingsOf(result)
  if (findings.length === 0) return `no findings in ${plural(result.files, 'file')}`
  const table = renderTable(columns, findings.slice(0, most).map(row), width)
  const left = findings.length > most ? [`… and ${findings.length - most} more`] : []
  const missing = result.analyzers
    .filter(({ status }) => status === 'failed')
    .map(({ id, reason }) => `${id} did not run: ${reason}`)
  return [table, ...left, '', reviewSummary(result), ...missing].join('\n')
}
