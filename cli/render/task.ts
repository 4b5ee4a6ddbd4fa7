import type { TaskEvent, TaskResponse } from '#shared/contracts/tasks.ts'
import { plain } from './terminal.ts'
import { clockTime } from './time.ts'

/** Why a task did not succeed, as the end of a sentence. */
export const failureOf = ({ id, status, failure }: TaskResponse): string =>
  status === 'CANCELLED'
    ? `${id} was cancelled`
    : `${id} failed: ${plain(failure?.message ?? 'it gave no reason')} (${failure?.code ?? status})`

/** How far a task says that it is. */
export const progressOf = ({ progress }: Pick<TaskResponse, 'progress'>): string | undefined =>
  progress && describeProgress(progress)

/** What matters most about a task beside its state. */
export const remarkOf = (task: TaskResponse): string => {
  const { status, failure, blockedBy } = task
  if (status === 'SUCCEEDED' || status === 'CANCELLED') return ''
  if (status === 'FAILED' || status === 'SCHEDULED') return failure ? plain(`${failure.code}: ${failure.message}`) : ''
  return plain(blockedBy?.message ?? waitOf(task) ?? progressOf(task) ?? '')
}

const waitOf = ({ waiting }: TaskResponse): string | undefined =>
  waiting && `waits for ${waiting.approval ?? waiting.kind}`

const describeProgress = ({ percent, message }: { percent?: unknown; message?: unknown }): string =>
  plain(`${percent === undefined ? '' : `${Math.round(Number(percent))} %`} ${message ?? ''}`)

/** An event on one line. */
export const renderEvent = (event: TaskEvent): string => {
  const kind = event.type.slice('task.'.length)
  return `${clockTime(event.time)}  ${String(event.seq).padStart(4)}  ${kind.padEnd(8)}  ${describeEvent(event)}`
}

const describeEvent = ({ type, data }: TaskEvent): string => {
  if (type === 'task.progress') return describeProgress(data)
  if (type === 'task.log') return plain(`${data.level}: ${data.message}`)
  if (type === 'task.output') return plain(typeof data.chunk === 'string' ? data.chunk : JSON.stringify(data.chunk))
  return describeState(data)
}

const describeState = ({ status, agent, attempt, reason, message, nextAttemptAt }: TaskEvent['data']): string => {
  const who = status === 'RUNNING' ? `${agent}, attempt ${attempt}` : ''
  const why = reason && reason !== status ? `${reason}${message ? `: ${message}` : ''}` : ''
  const next = typeof nextAttemptAt === 'string' ? `next attempt at ${clockTime(nextAttemptAt)}` : ''
  const more = [who, why, next].filter(Boolean).join('; ')
  return plain(more ? `${status} (${more})` : String(status))
}
