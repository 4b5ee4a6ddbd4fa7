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
  /** Attends all that is due now, in pages: what cannot be attended keeps nothing behind it from being. */
  const attendDue = async () => {
    const due: Key[] = []
    let failed = false
    let cursor: string | undefined
    for (;;) {
      const page = await table.queryKeys({ index: 'due', pk: duePk, limit: atOnce, cursor })
      const some = page.items.filter(({ place }) => place < padded(clock.now() + 1))
      failed = !(await attendAll(some)) || failed
      due.push(...some)
      const later = page.items[some.length]
      cursor = page.cursor
      if (later !== undefined || cursor === undefined || closed) return { due, failed, later }
    }
  }
  /** What was attended is due no more: looks again until nothing is, and sleeps until the next. */
  const look = async (): Promise<void> => {
    const { due, failed, later } = await attendDue()
    const isStuck = failed || (due.length > 0 && JSON.stringify(due) === last)
    last = JSON.stringify(due)
    if (due.length > 0 && !isStuck && !closed) return look()
    if (isStuck) arm(clock.now() + afterErrorMs)
    if (later) arm(Number.parseInt(later.place, 10))
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
