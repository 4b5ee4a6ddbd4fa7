import type { Platform } from '../../platform/platform.ts'
import { isFinished, type Task } from '../tasks/task.ts'
import { wakeFanOut } from './attend-fan-out.ts'
import type { Ended } from './bitmap.ts'
import { endedAs } from './end-rows.ts'
import { markEnded } from './fan-out-store.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random' | 'queues' | 'telemetry'>

/** What a batch, or the shards of a distributed task, have to know of a change. */
export type FanOutNote = { tenant: string; owner: string; mark?: readonly [row: number, ended: Ended] }

/** A row or part that ended, a distributed task that may start or is over. */
export const notesOf = (task: Task): FanOutNote[] => {
  const { tenant, batch, fanOut, status } = task
  const ended = endedAs(status)
  const notes: FanOutNote[] = []
  if (batch && ended)
    notes.push({ tenant, owner: batch.id, ...(typeof batch.row === 'number' && { mark: [batch.row, ended] }) })
  if (fanOut && (isFinished(task) || status === 'QUEUED')) notes.push({ tenant, owner: fanOut.id })
  return notes
}

/** Notes which rows of one owner have ended, all together, and wakes it if there is something to do for it. */
export const takeNotes = async (ports: Ports, notes: FanOutNote[]): Promise<void> => {
  const [first] = notes
  if (first === undefined) return
  const { tenant, owner } = first
  const marks = notes.flatMap(({ mark }) => (mark ? [mark] : []))
  await markEnded(ports, { tenant, id: owner }, marks)
  await wakeFanOut(ports, tenant, owner)
}
