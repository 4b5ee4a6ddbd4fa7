import type { Item, Platform } from '../../platform/platform.ts'
import { planBody } from '../bodies/body.ts'
import { chargeReport } from '../budgets/charge.ts'
import { type Caller, stamp, systemStamp } from '../caller.ts'
import { orThrow } from '../domain-error.ts'
import { digest } from '../ids.ts'
import { requireSame } from '../require-same.ts'
import type { Task, Usage } from './task.ts'
import { eventsItem, type TaskEvent } from './task-events.ts'
import { overspend, reportTask, requireFence } from './task-moves.ts'
import { changeTask, getTask, taskPk } from './task-store.ts'
import { writerOf } from './worker-instance.ts'

export type Progress = {
  fence: string
  percent?: number
  message?: string
  output?: { chunk?: unknown }[]
  logs?: { level: string; message: string; fields?: Record<string, unknown> }[]
  checkpoint?: unknown
  usage?: Usage
  /** The same again is the same report: its answer was lost. */
  idempotencyKey?: string
}

type Ports = Pick<
  Platform,
  'main' | 'volatile' | 'queues' | 'telemetry' | 'objects' | 'clock' | 'random' | 'generation'
>

/**
 * Records what an attempt reports, under its fence: events take their numbers in the same write as the head. What it used
 * is charged before that, so that reports which come at once are each charged with those before.
 */
export const reportProgress = async (ports: Ports, caller: Caller, id: string, progress: Progress): Promise<Task> => {
  const { tenant } = caller
  const start = await getTask(ports, tenant, id)
  orThrow(requireFence(start.value, progress.fence, writerOf(ports, caller)))
  const pk = taskPk(tenant, id)
  const stamped = stamp(caller, 'task.progress')
  const sk = `checkpoint#${progress.fence}`
  const checkpoint =
    progress.checkpoint === undefined
      ? undefined
      : await planBody(ports, { tenant, pk, sk, value: progress.checkpoint, stamp: stamped })
  const reported = reportedBy(progress)
  const changed = await changeTask(ports, start, async (current) => {
    const task = orThrow(requireFence(current, progress.fence, writerOf(ports, caller)))
    if (isRepeated(task, reported)) return { task: current, answer: undefined }
    const now = ports.clock.now()
    const events = toEvents(progress, task.seq, now)
    const { usage } = progress
    const report = { events: events.length, progress: shown(progress), checkpoint: checkpoint?.body, usage, reported }
    const items: Item[] = [...(checkpoint?.items ?? []), ...chunked(events).map((chunk) => eventsItem(task, chunk))]
    const next = { ...reportTask(task, report), stamp: stamped }
    if (usage === undefined) return { task: next, items, answer: undefined }
    const { spent, owes, checks: writes } = await chargeReport(ports, next)
    const ended = spent === undefined ? next : { ...overspend(next, { message: spent, now }), stamp: overspent }
    return { task: { ...ended, owes }, items, writes, answer: undefined }
  })
  return changed.task
}

const overspent = systemStamp('task.budget')

const reportedBy = ({ idempotencyKey, ...progress }: Progress): Task['reported'] =>
  idempotencyKey === undefined ? undefined : { fence: progress.fence, key: idempotencyKey, digest: digest(progress) }

/** The same report again; `IDEMPOTENCY_CONFLICT` for another one under its key. */
const isRepeated = ({ id, reported }: Task, again: Task['reported']): boolean => {
  if (again === undefined || reported?.fence !== again.fence || reported.key !== again.key) return false
  requireSame(`a report of task ${id}`, again.key, { before: reported.digest, now: again.digest })
  return true
}

const shown = ({ percent, message }: Progress): Task['progress'] =>
  percent === undefined && message === undefined
    ? undefined
    : { ...(percent !== undefined && { percent }), ...(message !== undefined && { message }) }

const toEvents = (progress: Progress, seq: number, time: number): TaskEvent[] => {
  const state = shown(progress)
  const rows: Omit<TaskEvent, 'seq'>[] = [
    ...(state ? [{ type: 'task.progress' as const, time, data: state }] : []),
    ...(progress.output ?? []).map(({ chunk }) => ({
      type: 'task.output' as const,
      time,
      data: { chunk: chunk ?? null },
    })),
    ...(progress.logs ?? []).map((log) => ({ type: 'task.log' as const, time, data: log })),
  ]
  return rows.map((row, at) => ({ seq: seq + 1 + at, ...row }))
}

/** Events of one item stay well below the size an item may have. */
const chunkBytes = 96 * 1024

const chunked = (events: TaskEvent[]): [TaskEvent, ...TaskEvent[]][] => {
  const chunks: [TaskEvent, ...TaskEvent[]][] = []
  let room = 0
  for (const event of events) {
    const size = Buffer.byteLength(JSON.stringify(event))
    const last = chunks.at(-1)
    if (last && size <= room) last.push(event)
    else chunks.push([event])
    room = (last && size <= room ? room : chunkBytes) - size
  }
  return chunks
}
