import type { Platform, Stored } from '../../platform/platform.ts'
import { sideBySide } from '../side-by-side.ts'
import { cancelBySystem } from '../tasks/cancel-children.ts'
import { isFinished, type Task, type TaskStatus } from '../tasks/task.ts'
import { taskKey } from '../tasks/task-store.ts'
import { type Ended, openRows } from './bitmap.ts'
import { type FanOut, swept } from './fan-out.ts'
import { changeFanOut, loadPages, markEnded, rowTaskId } from './fan-out-store.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'queues' | 'telemetry' | 'clock' | 'random'>

const width = 32
const readRowsAtOnce = 500

/** What the end of a task is for its row; `undefined`: it has not ended. */
export const endedAs = (status: TaskStatus): Ended | undefined => {
  if (status === 'SUCCEEDED') return 'succeeded'
  if (status === 'CANCELLED') return 'cancelled'
  return status === 'FAILED' ? 'failed' : undefined
}

/** Rows below `end` of which no end is known, each with its task if there is one. */
const unknownRows = async (
  ports: Ports,
  fan: FanOut,
  end: number,
): Promise<{ row: number; task: Task | undefined }[]> => {
  const pages = await loadPages(ports, fan)
  const rows = fan.open.flatMap((page, at) => openRows(pages[at], page, end))
  const found: { row: number; task: Task | undefined }[] = []
  for (let at = 0; at < rows.length; at += readRowsAtOnce) {
    const some = rows.slice(at, at + readRowsAtOnce)
    const heads = await ports.main.getMany<Task>(some.map((row) => taskKey(fan.tenant, rowTaskId(fan, row))))
    found.push(...some.map((row, place) => ({ row, task: heads[place]?.value })))
  }
  return found
}

/** Notes ends that nobody told of: what a projector lost for good is found here. */
export const lookAtRows = async (ports: Ports, start: Stored<FanOut>): Promise<Stored<FanOut>> => {
  const fan = start.value
  const rows = await unknownRows(ports, fan, fan.position.row)
  await markEnded(
    ports,
    fan,
    rows.flatMap(({ row, task }) => {
      const ended = task === undefined ? 'failed' : endedAs(task.status)
      return ended === undefined ? [] : [[row, ended] as const]
    }),
  )
  const now = ports.clock.now()
  return changeFanOut(ports, start, (current) => ({ ...current, lookedAt: now }))
}

/** As whom it cancels its rows. */
export const cancellerOf = ({ id }: Pick<FanOut, 'id'>): string => `batch ${id}`

/**
 * Cancels what was submitted and has not ended, also what a pass that broke off submitted behind the position. A row in
 * between that has no task never gets one, and counts as cancelled.
 */
export const cancelRows = async (ports: Ports, start: Stored<FanOut>): Promise<Stored<FanOut>> => {
  const fan = start.value
  const whole = swept(fan, { end: fan.claimed, now: 0 })
  const rows = await unknownRows(ports, whole, fan.claimed)
  const by = `${cancellerOf(fan)}: ${fan.stopping?.message ?? ''}`
  const marks: [number, Ended][] = []
  await sideBySide(rows, width, async ({ row, task }) => {
    const last = task && !isFinished(task) ? await cancelBySystem(ports, fan.tenant, task.id, by) : task
    const ended = last && endedAs(last.status)
    if (ended !== undefined) marks.push([row, ended])
  })
  const end = Math.max(fan.position.row, ...rows.filter(({ task }) => task !== undefined).map(({ row }) => row + 1))
  const never = rows.filter(({ row, task }) => task === undefined && row < end)
  await markEnded(ports, fan, [...marks, ...never.map(({ row }) => [row, 'cancelled'] as const)])
  const now = ports.clock.now()
  return changeFanOut(ports, start, (current) => swept(current, { end, now }))
}
