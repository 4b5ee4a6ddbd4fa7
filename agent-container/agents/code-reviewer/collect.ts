import { limits } from './contract.ts'
import { byPlace, bySeverity, type Finding, isAtLeast, type Severity } from './finding.ts'

export type Counts = Record<Severity, number>

export type Collection = {
  add(finding: Finding): void
  /** Of this analyzer, so far. */
  countOf(analyzer: string): number
  readonly counts: Counts
  /** By place; the most serious ones when there were too many. */
  findings(): Finding[]
}

export type CollectOptions = {
  least: Severity
  /** @default limits.findings */
  keep?: number
  onFinding?: (finding: Finding) => void
}

/** Counts all findings and keeps the most serious: which are kept does not depend on the order of arrival. */
export const createCollection = ({ least, keep = limits.findings, onFinding }: CollectOptions): Collection => {
  let kept: Finding[] = []
  const counts: Counts = { error: 0, warning: 0, info: 0 }
  const perAnalyzer = new Map<string, number>()
  const seen = new Set<string>()
  const shrink = () => {
    kept = kept.sort(bySeverity).slice(0, keep)
  }
  return {
    counts,
    add: (finding) => {
      const key = `${finding.file}\0${finding.line}\0${finding.column ?? 0}\0${finding.rule}\0${finding.message}`
      if (!isAtLeast(finding.severity, least) || seen.has(key)) return
      if (seen.size < keep * 4) seen.add(key)
      counts[finding.severity]++
      perAnalyzer.set(finding.analyzer, (perAnalyzer.get(finding.analyzer) ?? 0) + 1)
      kept.push(finding)
      if (kept.length >= keep * 2) shrink()
      onFinding?.(finding)
    },
    countOf: (analyzer) => perAnalyzer.get(analyzer) ?? 0,
    findings: () => {
      shrink()
      return [...kept].sort(byPlace)
    },
  }
}
