/** From harmless to serious. */
export const severities = ['info', 'warning', 'error'] as const
export type Severity = (typeof severities)[number]

export const isAtLeast = (severity: Severity, least: Severity): boolean =>
  severities.indexOf(severity) >= severities.indexOf(least)

export type Place = { file: string; line: number; column?: number; endLine?: number }

/** What an analyzer says of one place. Lines and columns count from 1. */
export type Remark = Place & {
  severity: Severity
  /** `<tool>/<name>`, as the tool's own documentation calls it. */
  rule: string
  message: string
  /** Where the rule is explained. */
  helpUri?: string | undefined
  /** The other end, of a duplicate for instance. */
  related?: Place & { message: string }
}

export type Finding = Remark & { analyzer: string }

/** By place, then by rule: the order of reports. */
export const byPlace = (a: Finding, b: Finding): number =>
  compare(a.file, b.file) ||
  a.line - b.line ||
  (a.column ?? 0) - (b.column ?? 0) ||
  compare(a.rule, b.rule) ||
  compare(a.message, b.message)

/** The most serious first, then by place. */
export const bySeverity = (a: Finding, b: Finding): number =>
  severities.indexOf(b.severity) - severities.indexOf(a.severity) || byPlace(a, b)

/** By code unit, the same on every host. */
export const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
