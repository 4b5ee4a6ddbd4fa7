import { createHash } from 'node:crypto'
import type { Invocation, Location, Log, ReportingDescriptor, Result, Run, VersionControlDetails } from 'sarif'
import type { AnalyzerReport } from '../contract.ts'
import { compare, type Finding, type Place, type Severity } from '../finding.ts'

export type SarifOptions = {
  /** In the order in which they shall be read. */
  findings: Finding[]
  analyzers: AnalyzerReport[]
  head: string
  /** The address that the repository came from. */
  source?: string | undefined
}

const schema = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json'
const levels = { error: 'error', warning: 'warning', info: 'note' } as const satisfies Record<Severity, Result['level']>

/** As a type of its own, so that it counts as JSON. */
type Plain<T> = { [Key in keyof T]: T[Key] }
export type Sarif = Plain<Omit<Log, 'runs'>> & { runs: (Plain<Omit<Run, 'results'>> & { results: Result[] })[] }

/** One run of SARIF 2.1.0. https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html */
export const toSarif = ({ findings, analyzers, head, source }: SarifOptions): Sarif => {
  const rules = rulesOf(findings)
  const indexes = new Map(rules.map(({ id }, index) => [id, index]))
  const fingerprint = createFingerprints()
  return {
    $schema: schema,
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'DevCycle code-reviewer', rules } },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: { SRCROOT: { description: { text: 'the root of the repository' } } },
        invocations: [toInvocation(analyzers)],
        ...(source !== undefined && { versionControlProvenance: [provenance(source, head)] }),
        results: findings.map((finding) => toResult(finding, indexes.get(finding.rule) ?? -1, fingerprint(finding))),
        properties: { head, analyzers },
      },
    ],
  }
}

const provenance = (repositoryUri: string, revisionId: string): VersionControlDetails => ({
  repositoryUri,
  revisionId,
  mappedTo: { uriBaseId: 'SRCROOT' },
})

const rulesOf = (findings: Finding[]): ReportingDescriptor[] => {
  const rules = new Map<string, ReportingDescriptor>()
  for (const { rule, helpUri, analyzer } of findings) {
    if (rules.has(rule)) continue
    rules.set(rule, { id: rule, ...(helpUri !== undefined && { helpUri }), properties: { tags: [analyzer] } })
  }
  return [...rules.values()].sort((a, b) => compare(a.id, b.id))
}

const toResult = (finding: Finding, ruleIndex: number, fingerprint: string): Result => ({
  ruleId: finding.rule,
  ruleIndex,
  level: levels[finding.severity],
  message: { text: finding.message },
  locations: [toLocation(finding)],
  ...(finding.related && {
    relatedLocations: [{ id: 1, ...toLocation(finding.related), message: { text: finding.related.message } }],
  }),
  partialFingerprints: { 'devcycle/v1': fingerprint },
  properties: { analyzer: finding.analyzer },
})

const toLocation = ({ file, line, column, endLine }: Place): Location => ({
  physicalLocation: {
    artifactLocation: { uri: file.split('/').map(encodeURIComponent).join('/'), uriBaseId: 'SRCROOT' },
    region: {
      startLine: line,
      ...(column !== undefined && { startColumn: column }),
      ...(endLine !== undefined && { endLine }),
    },
  },
})

/** The same for the same finding after lines moved: rule, file, message, and which of several alike. */
const createFingerprints = () => {
  const seen = new Map<string, number>()
  return ({ rule, file, message }: Finding): string => {
    const text = [rule, file, message.replace(/\d+/g, '#')].join('\0')
    const nth = seen.get(text) ?? 0
    seen.set(text, nth + 1)
    return createHash('sha256').update(`${text}\0${nth}`).digest('hex').slice(0, 32)
  }
}

const toInvocation = (analyzers: AnalyzerReport[]): Invocation => ({
  executionSuccessful: analyzers.every(({ status }) => status !== 'failed'),
  toolExecutionNotifications: analyzers.flatMap(({ id, status, reason }) =>
    reason === undefined
      ? []
      : [{ level: status === 'failed' ? 'error' : 'note', message: { text: `${id} ${status}: ${reason}` } }],
  ),
})
