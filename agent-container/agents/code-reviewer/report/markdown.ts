import type { Counts } from '../collect.ts'
import { type AnalyzerReport, limits } from '../contract.ts'
import { bySeverity, type Finding, type Severity } from '../finding.ts'

export type MarkdownOptions = {
  findings: Finding[]
  counts: Counts
  files: number
  lines: number
  skipped: Record<string, number>
  analyzers: AnalyzerReport[]
  head: string
  base?: string
}

/** A report for people: the numbers, the most serious findings first, and who looked. */
export const toMarkdown = (report: MarkdownOptions): string =>
  [heading(report), ...findingSections(report.findings), more(report), looked(report)]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n')

const words: Record<Severity, [one: string, many: string]> = {
  error: ['error', 'errors'],
  warning: ['warning', 'warnings'],
  info: ['note', 'notes'],
}
const order = ['error', 'warning', 'info'] as const

const amount = (count: number, [one, many]: [string, string]) => `${count} ${count === 1 ? one : many}`

const heading = ({ counts, files, lines, head, base }: MarkdownOptions): string => {
  const numbers = order.map((severity) => amount(counts[severity], words[severity])).join(', ')
  const seen = `${amount(files, ['file', 'files'])}, ${amount(lines, ['line', 'lines'])}`
  const range = base ? `lines changed since ${code(base.slice(0, 12))}` : 'the whole repository'
  return `# Code review\n\n**${numbers}** in ${seen}: ${range}, at ${code(head.slice(0, 12))}.`
}

const titles: Record<Severity, string> = { error: 'Errors', warning: 'Warnings', info: 'Notes' }

const findingSections = (findings: Finding[]): string[] => {
  const shown = [...findings].sort(bySeverity).slice(0, limits.markdown)
  return order.flatMap((severity) => {
    const some = shown.filter((finding) => finding.severity === severity)
    if (some.length === 0) return []
    const rows = some.map(
      ({ file, line, rule, message }) => `| ${code(`${file}:${line}`)} | ${cell(message)} | ${code(rule)} |`,
    )
    return [`## ${titles[severity]}\n\n| place | finding | rule |\n|---|---|---|\n${rows.join('\n')}`]
  })
}

const more = ({ findings, counts }: MarkdownOptions): string => {
  const total = counts.error + counts.warning + counts.info
  const rest = total - Math.min(findings.length, limits.markdown)
  return rest > 0 ? `${rest} more, less serious or later in the order, are not in this table.` : ''
}

const looked = ({ analyzers, skipped }: MarkdownOptions): string => {
  const rows = analyzers.map(
    ({ id, status, findings, reason = '' }) => `| ${id} | ${status} | ${findings} | ${cell(reason)} |`,
  )
  const left = Object.entries(skipped).map(([reason, count]) => `${count} ${reason}`)
  const table = `## Analyzers\n\n| analyzer | status | findings | remark |\n|---|---|---|---|\n${rows.join('\n')}`
  return left.length > 0 ? `${table}\n\nNot looked at: ${left.sort().join(', ')}.` : table
}

/** Text of others inside a table: no markup, no new cell. */
const cell = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/[\\`*_{}[\]<>|#!~]/g, '\\$&')
    .trim()

const code = (text: string): string => {
  const plain = text.replace(/\s/g, ' ').replaceAll('|', '\\|')
  return plain.includes('`') ? `\`\` ${plain} \`\`` : `\`${plain}\``
}
