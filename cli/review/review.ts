import type { TaskEvent, TaskResponse } from '#shared/contracts/tasks.ts'
import type { Client } from '../client/client.ts'
import { followTask } from '../client/task-events.ts'
import { CliError, exitCodes } from '../failure.ts'
import { prepareRepository } from '../repository/repository-input.ts'

export type Severity = 'error' | 'warning' | 'info'
export type Finding = { file: string; line: number; severity: Severity; rule: string; message: string }

/** What `code.review` answers, as far as the CLI shows it. */
export type ReviewResult = {
  sarif: { runs: { results?: SarifResult[] }[] }
  markdown: string
  counts: Record<Severity, number>
  files: number
  lines: number
  analyzers: { id: string; status: string; reason?: string; findings?: number }[]
}
type SarifResult = {
  ruleId?: string
  level?: string
  message: { text?: string }
  locations?: { physicalLocation?: { artifactLocation?: { uri?: string }; region?: { startLine?: number } } }[]
}

export type Progress = { percent: number; message: string }

type Options = {
  client: Client
  place: string
  base?: string
  onProgress: (progress: Progress) => void
  signal?: AbortSignal
}

/** Reviews a repository: bundles and uploads it, submits the task, follows it, and answers the result. */
export const runReview = async ({
  client,
  place,
  base,
  onProgress,
  signal,
}: Options): Promise<{ task: TaskResponse; result: ReviewResult; uncommitted: number }> => {
  onProgress({ percent: 0, message: 'bundling the repository' })
  const prepared = await prepareRepository(client, place, base)
  const input = { repository: prepared.repository, ...(prepared.base && { base: prepared.base }) }
  const submitted = await client.create<TaskResponse>('/tasks', { capability: 'code.review', input })
  if (submitted.blockedBy) onProgress({ percent: 0, message: submitted.blockedBy.message })
  for await (const event of followTask(client, submitted.id, { signal })) reportEvent(event, onProgress)
  const task = await client.get<TaskResponse>(`/tasks/${submitted.id}`)
  if (task.status !== 'SUCCEEDED')
    throw new CliError(
      `review ${task.id} ${task.status}: ${task.failure?.message ?? 'cancelled'} (${task.failure?.code ?? 'CANCELLED'})`,
      exitCodes.taskFailed,
    )
  const result = await client.get<ReviewResult>(`/tasks/${submitted.id}/result`)
  return { task, result, uncommitted: prepared.local?.uncommitted ?? 0 }
}

const reportEvent = ({ type, data }: TaskEvent, onProgress: (progress: Progress) => void): void => {
  if (type === 'task.progress') onProgress({ percent: Number(data.percent ?? 0), message: String(data.message ?? '') })
  if (type === 'task.state' && data.status === 'RUNNING')
    onProgress({ percent: 0, message: `attempt ${data.attempt} runs` })
  if (type === 'task.state' && data.reason) onProgress({ percent: 0, message: String(data.message ?? data.reason) })
}

const severities: Record<string, Severity> = { error: 'error', warning: 'warning', note: 'info', none: 'info' }

/** The findings of a report, by file and line. */
export const findingsOf = ({ sarif }: ReviewResult): Finding[] =>
  sarif.runs
    .flatMap(({ results = [] }) => results)
    .map(({ ruleId = '', level = 'warning', message, locations = [] }) => ({
      file: locations[0]?.physicalLocation?.artifactLocation?.uri ?? '',
      line: locations[0]?.physicalLocation?.region?.startLine ?? 0,
      severity: severities[level] ?? 'warning',
      rule: ruleId,
      message: message.text ?? '',
    }))
    .sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1))

const ranks: Record<Severity | 'never', number> = { info: 0, warning: 1, error: 2, never: 3 }

/** Whether a review has findings at or above a level. */
export const fails = ({ counts }: ReviewResult, level: 'error' | 'warning' | 'never'): boolean =>
  (Object.keys(counts) as Severity[]).some((severity) => ranks[severity] >= ranks[level] && counts[severity] > 0)
