import { writeFileSync } from 'node:fs'
import type { Client } from '../client/client.ts'
import { exitCodes } from '../failure.ts'
import { checkWritable } from '../input/files.ts'
import { interruptible } from '../interrupt.ts'
import { renderFindings, reviewGaps, reviewSummary } from '../render/findings.ts'
import { note, print } from '../render/print.ts'
import { createProgress } from '../render/progress.ts'
import { type Reviewed, runReview } from '../review/review.ts'
import { fails, type ReviewResult } from '../review/review-result.ts'

export type ReviewOptions = {
  base?: string
  format: 'table' | 'json' | 'sarif' | 'markdown'
  failOn: 'error' | 'warning' | 'never'
  output?: string
  json?: boolean
}

const render: Record<ReviewOptions['format'], (result: ReviewResult, toFile: boolean) => string> = {
  table: (result, toFile) =>
    renderFindings(result, toFile ? { stream: null } : { width: process.stdout.columns, stream: process.stdout }),
  json: (result) => JSON.stringify(result, null, 2),
  sarif: ({ sarif }) => JSON.stringify(sarif, null, 2),
  markdown: ({ markdown }) => markdown.trimEnd(),
}

/** Reviews a repository; the exit code says whether it passed. */
export const review = async (client: Client, place: string, options: ReviewOptions): Promise<void> => {
  const { output, failOn } = options
  if (output !== undefined) checkWritable(output)
  const reviewed = await follow(client, place, options)
  const { result, uncommitted } = reviewed
  if (fails(result, failOn)) process.exitCode = exitCodes.findings
  const format = options.json ? 'json' : options.format
  const text = render[format](result, output !== undefined)
  if (output === undefined) print(text)
  else writeFileSync(output, `${text}\n`)
  if (output !== undefined) note(`${reviewSummary(result)}; written to ${output}`)
  if (output !== undefined || format !== 'table') for (const gap of reviewGaps(result)) note(gap)
  if (uncommitted > 0) note(hint(uncommitted))
}

const hint = (uncommitted: number): string =>
  uncommitted === 1
    ? 'note: 1 file has changes that are not committed; they were not reviewed'
    : `note: ${uncommitted} files have changes that are not committed; they were not reviewed`

const follow = (client: Client, place: string, { base }: ReviewOptions): Promise<Reviewed> => {
  const progress = createProgress(process.stderr)
  let id: string | undefined
  const work = (signal: AbortSignal): Promise<Reviewed> =>
    runReview({
      client,
      place,
      base,
      signal,
      onProgress: progress.update,
      onSubmitted: (task) => {
        id = task.id
      },
    }).finally(progress.end)
  return interruptible(work, () =>
    id === undefined
      ? 'nothing was submitted'
      : `the review goes on; devcycle tasks result ${id} has it when it is done`,
  )
}
