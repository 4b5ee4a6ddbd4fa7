import * as z from 'zod'

const severities = ['error', 'warning', 'info'] as const
export type Severity = (typeof severities)[number]

const count = z.int().min(0)

const location = z.object({
  physicalLocation: z
    .object({
      artifactLocation: z.object({ uri: z.string().optional() }).optional(),
      region: z.object({ startLine: z.int().optional() }).optional(),
    })
    .optional(),
})

const sarifResult = z.object({
  ruleId: z.string().default(''),
  level: z.enum(['error', 'warning', 'note', 'none']).default('warning'),
  message: z.object({ text: z.string().default('') }),
  locations: z.array(location).default([]),
})
type SarifResult = z.infer<typeof sarifResult>

/** What an agent that offers `code.review` answers, as far as people are shown it; the rest is kept as it is. */
const reviewResult = z.looseObject({
  sarif: z.looseObject({ runs: z.array(z.looseObject({ results: z.array(z.unknown()).default([]) })) }),
  markdown: z.string(),
  counts: z.object({ error: count, warning: count, info: count }),
  files: count,
  lines: count,
  analyzers: z.array(z.looseObject({ id: z.string(), status: z.string(), reason: z.string().optional() })).default([]),
  truncated: z.object({ kept: count, of: count }).optional(),
})
export type ReviewResult = z.infer<typeof reviewResult>

/** The result of a review, or what is wrong with it. */
export const parseReview = (value: unknown): { result: ReviewResult } | { problem: string } => {
  const parsed = reviewResult.safeParse(value)
  if (parsed.success) return { result: parsed.data }
  const [issue] = parsed.error.issues
  return { problem: `${issue?.path.join('.') || 'all of it'}: ${issue?.message}` }
}

export type Finding = { file: string; line: number; severity: Severity; rule: string; message: string }

const fromLevel = { error: 'error', warning: 'warning', note: 'info', none: 'info' } as const satisfies Record<
  SarifResult['level'],
  Severity
>

/** The findings of a report, by file and line. */
export const findingsOf = ({ sarif }: ReviewResult): Finding[] =>
  sarif.runs
    .flatMap(({ results }) => results)
    .map((result) => toFinding(sarifResult.parse(result)))
    .sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1))

const toFinding = ({ ruleId, level, message, locations: [place] }: SarifResult): Finding => ({
  file: decodeUri(place?.physicalLocation?.artifactLocation?.uri ?? ''),
  line: place?.physicalLocation?.region?.startLine ?? 0,
  severity: fromLevel[level],
  rule: ruleId,
  message: message.text,
})

const decodeUri = (uri: string): string => {
  try {
    return decodeURIComponent(uri)
  } catch {
    return uri
  }
}

const ranks: Record<Severity | 'never', number> = { info: 0, warning: 1, error: 2, never: 3 }

/** Whether a review has findings at or above a level. */
export const fails = ({ counts }: ReviewResult, level: 'error' | 'warning' | 'never'): boolean =>
  severities.some((severity) => ranks[severity] >= ranks[level] && counts[severity] > 0)
