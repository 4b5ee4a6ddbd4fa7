import type { AttemptResponse, TaskResponse } from '#shared/contracts/tasks.ts'
import type { Client } from '../client/client.ts'
import { ApiError } from '../client/errors.ts'
import { listAll } from '../client/list-all.ts'
import { CliError, exitCodes } from '../failure.ts'
import { print, printFields, printJson, printTable } from '../render/print.ts'
import type { Column } from '../render/table.ts'
import { progressOf } from '../render/task.ts'
import { plain } from '../render/terminal.ts'
import { throwUnlessSucceeded, writeResult } from './task-outcome.ts'

type Shown = { json?: boolean }

const pathOf = (id: string): string => `/tasks/${encodeURIComponent(id)}`

/** One task. */
export const getTask = async (client: Client, id: string, { json }: Shown): Promise<void> => {
  const task = await client.get<TaskResponse>(pathOf(id))
  if (json) return printJson(task)
  const { failure, blockedBy } = task
  printFields([
    ['id', task.id],
    ['status', task.status],
    ['capability', task.capability ?? undefined],
    ['agent', task.agent === null ? undefined : `${task.agent} ${task.version}`],
    ['chosen', task.routing && plain(task.routing.reason)],
    ['priority', task.priority],
    ['labels', pairs(task.labels)],
    ['parent', task.parent],
    ['batch', task.batch],
    ['attempt', `${task.attempt} of ${task.maxAttempts}`],
    ['created', task.createdAt],
    ['starts', task.runAt],
    ['started', task.startedAt],
    ['finished', task.finishedAt],
    ['deadline', task.finishedAt ? undefined : task.deadline],
    ['progress', task.finishedAt ? undefined : progressOf(task)],
    ['waits for', blockedBy && plain(`${blockedBy.message} (${blockedBy.code})`)],
    ['asks', task.waiting && asked(task.waiting)],
    ['failure', failure && plain(`${failure.message} (${failure.code})`)],
    ['next', nextStep(task)],
  ])
}

/** The command that helps on from here, if there is one. */
const nextStep = ({ id, status, waiting }: TaskResponse): string | undefined => {
  if (status === 'SUCCEEDED') return `devcycle tasks result ${id}`
  if (status === 'FAILED' || status === 'QUEUED') return `devcycle tasks why ${id}`
  if (waiting?.approval !== undefined) return `devcycle approvals get ${waiting.approval}`
  if (waiting) return `devcycle tasks input ${id} --response …`
  return status === 'RUNNING' ? `devcycle tasks events ${id} --follow` : undefined
}

const asked = ({ kind, prompt, approval, expiresAt }: NonNullable<TaskResponse['waiting']>): string =>
  plain(`${typeof prompt === 'string' ? prompt : JSON.stringify(prompt)} (${approval ?? kind}, until ${expiresAt})`)

const pairs = (labels: Record<string, string>): string | undefined =>
  Object.entries(labels)
    .map(([key, value]) => plain(`${key}:${value}`))
    .join(', ') || undefined

/** The result; a task that failed has none, and says why. */
export const resultTask = async (client: Client, id: string, _: Shown): Promise<void> => {
  try {
    await writeResult(client, id)
  } catch (error) {
    if (error instanceof ApiError && error.code === 'NOT_FINISHED')
      throw new CliError(`${error.message}; devcycle tasks events ${id} --follow waits for its end`, exitCodes.failed)
    if (error instanceof ApiError && error.status === 404)
      throwUnlessSucceeded(await client.get<TaskResponse>(pathOf(id)))
    throw error
  }
}

const attemptColumns: Column[] = [
  { title: 'ATTEMPT', align: 'right' },
  { title: 'OUTCOME' },
  { title: 'INSTANCE' },
  { title: 'STARTED' },
  { title: 'SECONDS', align: 'right' },
  { title: 'MESSAGE', wrap: true },
]

const secondsOf = ({ startedAt, finishedAt }: AttemptResponse): string =>
  finishedAt === undefined ? '' : ((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000).toFixed(1)

/** The attempts as a table. */
export const attemptsTask = async (client: Client, id: string, { json }: Shown): Promise<void> => {
  const items = await listAll<AttemptResponse>(client, `${pathOf(id)}/attempts`)
  if (json) return printJson({ items, nextCursor: null })
  const rows = items.map((one) => [
    String(one.attempt),
    one.outcome,
    one.instance,
    one.startedAt,
    secondsOf(one),
    plain(one.message ?? ''),
  ])
  printTable(attemptColumns, rows, 'no attempts yet')
}

/** Cancels a task. */
export const cancelTask = async (client: Client, id: string, { json }: Shown): Promise<void> => {
  const task = await client.request<TaskResponse>('POST', `${pathOf(id)}/cancel`)
  if (json) printJson(task)
  else print(`${task.id} ${task.status}`)
}
