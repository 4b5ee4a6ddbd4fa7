import { writeFileSync } from 'node:fs'
import type { Client } from '../client/client.ts'
import { exitCodes } from '../failure.ts'
import { renderFindings, reviewSummary } from '../render/findings.ts'
import { createProgress } from '../render/progress.ts'
import { fails, type ReviewResult, runReview } from '../review/review.ts'

export type ReviewOptions = {
  base?: string
  format: 'table' | 'json' | 'sarif' | 'markdown'
  failOn: 'error' | 'warning' | 'never'
  output?: string
  json?: boolean
}

const formats: Record<ReviewOptions['format'], (result: ReviewResult) => string> = {
  table: (result) => renderFindings(result, { width: process.stdout.columns }),
  json: (result) => JSON.stringify(result, null, 2),
  sarif: ({ sarif }) => JSON.stringify(sarif, null, 2),
  markdown: ({ markdown }) => markdown.trimEnd(),
}

/** Reviews a repository; the exit code says whether it passed. */
export const review = async (client: Client, place: string, options: ReviewOptions): Promise<void> => {
  const progress = createProgress(process.stderr)
  const done = await runReview({ client, place, base: options.base, onProgress: progress.update }).finally(progress.end)
  const text = formats[options.json ? 'json' : options.format](done.result)
  if (options.output === undefined) process.stdout.write(`${text}\n`)
  else {
    writeFileSync(options.output, `${text}\n`)
    process.stderr.write(`${reviewSummary(done.result)}; written to ${options.output}\n`)
  }
  if (done.uncommitted > 0)
    process.stderr.write(`note: ${done.uncommitted} changed files are not committed and were not reviewed\n`)
  if (fails(done.result, options.failOn)) process.exitCode = exitCodes.findings
}
