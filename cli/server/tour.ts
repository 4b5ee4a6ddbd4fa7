import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createClient } from '../client/client.ts'
import { renderFindings } from '../render/findings.ts'
import { createProgress } from '../render/progress.ts'
import { runReview } from '../review/review.ts'
import type { EmbeddedServer } from './embedded-server.ts'

const marker = (dataDir: string): string => join(dataDir, 'tour.done')
const mostShown = 20

/** A data folder that was never toured, and the reviewer is there to do it. */
export const tourIsDue = (dataDir: string, agents: string[]): boolean =>
  !existsSync(marker(dataDir)) && agents.some((folder) => folder.endsWith('code-reviewer'))

type TourOptions = { dataDir: string; repository: string; signal: AbortSignal }

/** Does the product's main job once, on the repository it stands in, and says what to try next. */
export const runTour = async (
  { url, apiKey }: Pick<EmbeddedServer, 'url' | 'apiKey'>,
  { dataDir, repository, signal }: TourOptions,
): Promise<void> => {
  const client = createClient({ url, apiKey })
  const progress = createProgress(process.stdout)
  console.log(`\nA first review, of ${repository}:`)
  try {
    const { task, result } = await runReview({
      client,
      place: repository,
      onProgress: progress.update,
      signal,
    }).finally(progress.end)
    writeFileSync(marker(dataDir), `${task.id}\n`)
    const report = join(dataDir, 'first-review.md')
    writeFileSync(report, result.markdown)
    console.log(`${renderFindings(result, { width: process.stdout.columns, most: mostShown })}\n`)
    console.log(`Full report: ${report}`)
    console.log(nextSteps(task.id))
  } catch (error) {
    if (!signal.aborted)
      console.log(`The first review did not work out: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const nextSteps = (task: string): string => `
Try next, in another terminal:
  npx devcycle review ../some/repo            review any git repository
  npx devcycle tasks submit --capability tests.run --repository . --follow
  npx devcycle agents list                    who is there
  npx devcycle tasks events ${task}
Serving until Ctrl-C.`
