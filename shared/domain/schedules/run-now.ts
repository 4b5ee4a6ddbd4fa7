import { begin, holdBack, notEnded, record, type Schedule } from './schedule.ts'

/** What became of a start that somebody asked for: `QUEUED` until the task before has ended. */
export type Run = {
  at: number
  outcome: 'STARTED' | 'QUEUED' | 'SKIPPED' | 'REFUSED'
  task?: string
  run?: string
  message?: string
}

/** Starts are told apart by their times: this one is none of those that were, or are planned. */
const momentOf = ({ last, nextAt, waitingFor }: Schedule, now: number): number => {
  let at = Math.max(now, (last?.at ?? 0) + 1)
  while (at === nextAt || at === waitingFor) at++
  return at
}

/** A start beside the planned ones, by the rule for overlaps; `busy`: the task of its last start has not ended. */
export const runNow = (
  schedule: Schedule,
  { now, busy }: { now: number; busy: boolean },
): { schedule: Schedule; run: Run } => {
  const { overlap, lastTask } = schedule
  const at = momentOf(schedule, now)
  if (!busy) return { schedule: begin(schedule, at, now), run: { at, outcome: 'STARTED' } }
  if (overlap === 'cancel-previous')
    return { schedule: begin(schedule, at, now, lastTask), run: { at, outcome: 'STARTED' } }
  const message = notEnded(schedule)
  if (overlap === 'skip')
    return { schedule: record(schedule, { at, outcome: 'SKIPPED', message }), run: { at, outcome: 'SKIPPED', message } }
  return { schedule: holdBack(schedule, at, now), run: { at, outcome: 'QUEUED', message } }
}
