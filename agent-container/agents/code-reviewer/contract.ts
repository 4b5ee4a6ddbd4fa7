import * as z from 'zod'
import { repositoryInput } from '../repository/check-out.ts'
import { severities } from './finding.ts'

export const limits = {
  /** Kept in the result, the most serious first; all are counted. */
  findings: 5000,
  /** Sent while the work goes on; the result has them all. */
  streamed: 500,
  /** In the Markdown report. */
  markdown: 200,
  /** Bytes of a source file; larger ones are data or generated. */
  fileBytes: 1024 ** 2,
  /** Bytes of a lockfile. */
  lockfileBytes: 32 * 1024 ** 2,
}

/** A folder, file or glob of the repository; git's own magic and paths that lead out are not. */
const path = z
  .string()
  .min(1)
  .max(1000)
  .regex(/^(?![:/])(?!(?:.*\/)?\.\.(?:\/|$))[^\p{Cc}]+$/u, 'expected a folder, file or glob inside the repository')

export const reviewInput = z.strictObject({
  repository: repositoryInput,
  /** A branch, tag or commit: only lines that changed since the common ancestor with it are reported. */
  base: z
    .string()
    .min(1)
    .max(255)
    .regex(/^(?!-)[^\s\p{Cc}:]+$/u, 'expected a branch, a tag or a commit')
    .optional(),
  /** @default everything */
  paths: z.array(path).min(1).max(1000).optional(),
  /** Findings below it are neither reported nor counted. @default 'info' */
  minSeverity: z.enum(severities).default('info'),
})
export type ReviewInput = z.infer<typeof reviewInput>

const count = z.int().min(0)

export const analyzerReport = z.object({
  id: z.string(),
  status: z.enum(['ran', 'skipped', 'failed']),
  /** Why it was skipped or failed; of one that ran, what it could not look at. */
  reason: z.string().optional(),
  findings: count,
})
export type AnalyzerReport = z.infer<typeof analyzerReport>

export const reviewResult = z.object({
  /** SARIF 2.1.0; its results are ordered by file, line and rule. */
  sarif: z.looseObject({
    version: z.literal('2.1.0'),
    runs: z.array(z.looseObject({ results: z.array(z.unknown()) })),
  }),
  markdown: z.string(),
  counts: z.object({ error: count, warning: count, info: count }),
  /** Looked at. */
  files: count,
  lines: count,
  /** Tracked, and not looked at: why, and how many. */
  skipped: z.record(z.string(), count),
  analyzers: z.array(analyzerReport),
  /** The commit that was reviewed. */
  head: z.string(),
  /** The commit whose lines count as unchanged. */
  base: z.string().optional(),
  /** Present when there were more findings than `sarif` holds. */
  truncated: z.object({ kept: count, of: count }).optional(),
})
export type ReviewResult = z.infer<typeof reviewResult>
