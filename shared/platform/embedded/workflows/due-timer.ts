import type { Clock, Key, Telemetry } from '../../platform.ts'
import { type Cancel, createAgenda } from '../agenda.ts'
import { duePk, padded } from './rows.ts'
import type { RunTable } from './run-store.ts'

type Options = {
  table: RunTable
  clock: Clock
  telemetry: Telemetry
  /** Looks at what has come due. */
  attend: (key: Key) => Promise<void>
}

const atOnce = 200
const afterErrorMs = 1000

/** Wakes for the first thing that comes due, however far away, and keeps nothing but its time. */
export const createDueTimer = ({ table, clock, telemetry, attend }: Options) => {
  const agenda = createAgenda(clock)
  let armed: { at: number; cancel: Cancel } | undefined
  let round: Promise<void> | undefined
  let again = false
  let last = ''
  let closed = false

  const arm = (at: number): void => {
    if (closed || !Number.isFinite(at) || (armed && armed.at <= at)) return
    armed?.cancel()
    armed = { at, cancel: agenda.at(at, wake) }
  }
  const wake = (): void => {
    armed = undefined
    again = round !== undefined
    round ??= look()
      .catch((error: unknown) => {
        telemetry.log('error', 'what comes due could not be read, and is again', { error: String(error) })
        arm(clock.now() + afterErrorMs)
      })
      .finally(() => {
        round = undefined
        if (again) wake()
      })
  }
  const attendAll = async (keys: Key[]): Promise<boolean> => {
    const results = await Promise.allSettled(keys.map(attend))
    const failure = results.find((result) => result.status === 'rejected')
    if (failure && !closed)
      telemetry.log('error', 'what came due could not be attended, and is again', { error: String(failure.reason) })
    return failure === undefined
  }
  /** Attends what is due now, and sleeps until the next. What was attended is due no more. */
  const look = async (): Promise<void> => {
    const { items } = await table.queryKeys({ index: 'due', pk: duePk, limit: atOnce })
    const due = items.filter(({ place }) => place < padded(clock.now() + 1))
    const isNew = JSON.stringify(due) !== last
    last = JSON.stringify(due)
    const worked = await attendAll(due)
    if (!worked || (due.length > 0 && !isNew)) return arm(clock.now() + afterErrorMs)
    if (due.length > 0 && !closed) return look()
    const [next] = items
    if (next) arm(Number.parseInt(next.place, 10))
  }

  return {
    /** Something comes due then. */
    note: arm,
    start: (): void => arm(clock.now()),
    async close(): Promise<void> {
      closed = true
      agenda.close()
      await round
    },
  }
}
