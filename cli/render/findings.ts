import { type Finding, findingsOf, type ReviewResult, type Severity } from '../review/review-result.ts'
import { type Column, renderTable } from './table.ts'
import { colorsFor, plain } from './terminal.ts'

const columns: Column[] = [
  { title: 'PLACE', cut: { at: 'start', least: 28 } },
  { title: 'SEVERITY' },
  { title: 'RULE', cut: { at: 'end', least: 18 } },
  { title: 'MESSAGE', wrap: true },
]

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

/** One line that sums a review up. */
export const reviewSummary = ({ counts, files, lines }: ReviewResult): string => {
  const parts = [
    counts.error > 0 && plural(counts.error, 'error'),
    counts.warning > 0 && plural(counts.warning, 'warning'),
    counts.info > 0 && `${counts.info} info`,
  ]
  return `${parts.filter(Boolean).join(', ') || 'no findings'} in ${plural(files, 'file')} (${plural(lines, 'line')})`
}

/** What a review could not do, a line each. */
export const reviewGaps = ({ analyzers, truncated }: ReviewResult): string[] => [
  ...(truncated ? [`the report holds ${truncated.kept} of ${truncated.of} findings, the most serious ones`] : []),
  ...analyzers
    .filter(({ status }) => status === 'failed')
    .map(({ id, reason }) => plain(`${id} failed: ${reason ?? 'it gave no reason'}`)),
]

export type FindingsOptions = {
  /** Of the terminal. @default as wide as it takes */
  width?: number
  /** Findings to show. @default all */
  most?: number
  /** Whose colours to use; none without. @default standard output */
  stream?: NodeJS.WriteStream | null
}

/** A review as people read it. */
export const renderFindings = (result: ReviewResult, options: FindingsOptions = {}): string => {
  const { width, most = Number.POSITIVE_INFINITY, stream = process.stdout } = options
  const findings = findingsOf(result)
  const gaps = reviewGaps(result)
  if (findings.length === 0) return [`no findings in ${plural(result.files, 'file')}`, ...gaps].join('\n')
  const paint = painter(stream)
  const rows = findings.slice(0, most).map((finding) => toRow(finding, paint))
  const left = findings.length > most ? [`… and ${findings.length - most} more`] : []
  return [renderTable(columns, rows, width), ...left, '', reviewSummary(result), ...gaps].join('\n')
}

type Paint = Record<Severity, (text: string) => string>

const painter = (stream: NodeJS.WriteStream | null): Paint => {
  if (stream === null) return { error: String, warning: String, info: String }
  const { red, yellow, dim } = colorsFor(stream)
  return { error: red, warning: yellow, info: dim }
}

const toRow = ({ file, line, severity, rule, message }: Finding, paint: Paint): string[] => [
  plain(line > 0 ? `${file}:${line}` : file),
  paint[severity](severity),
  plain(rule),
  plain(message),
]
