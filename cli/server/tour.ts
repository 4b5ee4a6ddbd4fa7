import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentResponse } from '#shared/contracts/agents.ts'
import { type Client, createClient } from '../client/client.ts'
import { renderFindings } from '../render/findings.ts'
import { createProgress } from '../render/progress.ts'
import { runReview } from '../review/review.ts'
import type { EmbeddedServer } from './embedded-server.ts'

const marker = (dataDir: string): string => join(dataDir, 'tour.done')
const mostShown = 20
const forOwner = { mode: 0o600 }

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
    await untilSomebodyReviews(client, signal)
    const { task, result } = await runReview({
      client,
      place: repository,
      onProgress: progress.update,
      signal,
    }).finally(progress.end)
    writeFileSync(marker(dataDir), `${task.id}\n`, forOwner)
    const report = join(dataDir, 'first-review.md')
    writeFileSync(report, result.markdown, forOwner)
    console.log(`${renderFindings(result, { width: process.stdout.columns, most: mostShown })}\n`)
    console.log(`Full report: ${report}`)
    console.log(nextSteps(task.id))
  } catch (error) {
    if (!signal.aborted)
      console.log(`The first review did not work out: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const patienceMs = 10_000

/** Agents register a moment after the server is ready; one that does not is no reason to wait for ever. */
const untilSomebodyReviews = async (client: Client, signal: AbortSignal): Promise<void> => {
  for (const end = Date.now() + patienceMs; Date.now() < end; await sleep(100, undefined, { signal })) {
    const { items } = await client.get<{ items: AgentResponse[] }>('/agents?capability=code.review', { signal })
    if (items.length > 0) return
  }
}

const nextSteps = (task: string): string => `
Try next, in another terminal:
  npx devcycle review ../some/repo            review any git repository
  npx devcycle tasks submit --capability tests.run --repository . --follow
  npx devcycle agents list                    who is there
  npx devcycle tasks events ${task}
Serving until Ctrl-C.`
