import { setTimeout as sleep } from 'node:timers/promises'
import type { InputPage } from '#shared/contracts/input.ts'
import { sendUntilAnswered } from './platform-client.ts'
import type { Sender } from './task-source.ts'

const longPollSeconds = 20
const pageRecords = 100
/** Where the platform cannot hold a call, each look costs: a stream that rests is looked at less and less often. */
const longestPauseSeconds = 5

type Reader = { source: Sender; signal: AbortSignal }

/** The next records of a task's input stream, as soon as there are any, or its end. */
export const readInputs = async (
  { source, signal }: Reader,
  { taskId, fence, after }: { taskId: string; fence: string; after: number },
): Promise<Pick<InputPage, 'records' | 'ended'>> => {
  const query = new URLSearchParams({
    after: String(after),
    limit: String(pageRecords),
    wait: String(longPollSeconds),
    fence,
  })
  const request = { method: 'GET' as const, path: `/tasks/${taskId}/input?${query}`, signal }
  for (let idle = 0; ; idle++) {
    const page = (await sendUntilAnswered(source, request)) as InputPage
    if (page.records.length > 0 || page.ended) return { records: page.records, ended: page.ended }
    const pause = Math.min((page.retryAfterSeconds ?? 0) * 2 ** idle, longestPauseSeconds)
    if (pause > 0) await sleep(pause * 1000, undefined, { signal })
  }
}
