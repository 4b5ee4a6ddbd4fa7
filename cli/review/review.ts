import type { TaskEvent, TaskResponse } from '#shared/contracts/tasks.ts'
import type { Client } from '../client/client.ts'
import { followTask } from '../client/task-events.ts'
import { CliError, exitCodes } from '../failure.ts'
import type { Progress } from '../render/progress.ts'
import { failureOf } from '../render/task.ts'
import { prepareRepository } from '../repository/repository-input.ts'
import { parseReview, type ReviewResult } from './review-result.ts'

export type RunReviewOptions = {
  client: Client
  /** Path of a repository, or of a folder in one, or an https address. */
  place: string
  base?: string
  onProgress: (progress: Progress) => void
  /** From here on the review goes on without this process. */
  onSubmitted?: (task: TaskResponse) => void
  signal?: AbortSignal
}

export type Reviewed = {
  task: TaskResponse
  result: ReviewResult
  /** Files that are changed or new, not committed, and so not reviewed. */
  uncommitted: number
}

/** Reviews a repository: bundles and uploads it, submits the task, follows it, and answers the result. */
export const runReview = async (options: RunReviewOptions): Promise<Reviewed> => {
  const { client, onProgress, onSubmitted, signal } = options
  const { input, uncommitted } = await prepare(options)
  const submitted = await client.create<TaskResponse>('/tasks', { capability: 'code.review', input }, { signal })
  onSubmitted?.(submitted)
  if (submitted.blockedBy) onProgress({ percent: 0, message: `waiting: ${submitted.blockedBy.message}` })
  const onLost = (error: Error): void => onProgress({ percent: 0, message: `${error.message}; trying again` })
  for await (const event of followTask(client, submitted.id, { signal, onLost })) {
    const progress = toProgress(event)
    if (progress) onProgress(progress)
  }
  const task = await client.get<TaskResponse>(`/tasks/${submitted.id}`, { signal })
  if (task.status !== 'SUCCEEDED') throw new CliError(`review ${failureOf(task)}`, exitCodes.taskFailed)
  return { task, result: await resultOf(client, task, signal), uncommitted }
}

const prepare = async ({ client, place, base, onProgress, signal }: RunReviewOptions) => {
  const onStep = (message: string): void => onProgress({ percent: 0, message })
  const prepared = await prepareRepository(client, place, { base, signal, onStep })
  const { repository, local } = prepared
  const paths = local?.folder ? [local.folder] : undefined
  return { input: { repository, base: prepared.base, paths }, uncommitted: local?.uncommitted ?? 0 }
}

const resultOf = async (client: Client, { id, agent }: TaskResponse, signal?: AbortSignal): Promise<ReviewResult> => {
  const parsed = parseReview(await client.get(`/tasks/${id}/result`, { signal }))
  if ('result' in parsed) return parsed.result
  throw new CliError(`what ${agent} answered for ${id} is not a review (${parsed.problem})`, exitCodes.taskFailed)
}

const toProgress = ({ type, data }: TaskEvent): Progress | undefined => {
  if (type === 'task.progress') return { percent: Number(data.percent ?? 0), message: String(data.message ?? '') }
  if (type !== 'task.state') return undefined
  if (data.status === 'RUNNING')
    return { percent: 0, message: `${data.agent} works${Number(data.attempt) > 1 ? ` (attempt ${data.attempt})` : ''}` }
  return data.reason ? { percent: 0, message: String(data.message ?? data.reason) } : undefined
}
