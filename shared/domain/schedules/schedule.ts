import type { Stamp } from '../caller.ts'
import type { SubmitCommand } from '../tasks/submit-command.ts'

/** When: a cron expression of five or six fields in a time zone, every so many seconds, or once. Times in milliseconds. */
export type Timing =
  | { cron: { expression: string; timeZone: string } }
  | { rate: { everySeconds: number; from: number } }
  | { at: number }

/** What happens to a start while the task of the one before has not ended. */
export type Overlap = 'skip' | 'queue' | 'cancel-previous'
export type ScheduleState = 'ACTIVE' | 'PAUSED' | 'ENDED'

/** How a start went: the task that it made, or why there is none. */
export type Start = { at: number; task?: string; outcome: 'STARTED' | 'SKIPPED' | 'REFUSED'; message?: string }

export type Schedule = {
  id: string
  tenant: string
  name?: string
  timing: Timing
  /** What is submitted at each start. */
  task: Omit<SubmitCommand, 'idempotencyKey' | 'runAt'>
  overlap: Overlap
  /** A start that is late by more is missed. */
  catchUpSeconds: number
  state: ScheduleState
  /** The next start; absent when there is none. */
  nextAt?: number
  /** A start that waits for the end of the task before it. */
  waitingFor?: number
  last?: Start
  /** The last task that was started. */
  lastTask?: string
  counts: { started: number; skipped: number; missed: number; refused: number }
  dueAt?: number
  createdAt: number
  updatedAt: number
  deletedAt?: number
  /** Digest of what was asked for, to tell a repeated creation from another one. */
  created: string
  stamp: Stamp
}

/** Up to `count` times after `after`, ascending. */
export type Times = (timing: Timing, after: number, count: number) => number[]

/** How often a start that waits looks by itself whether the task before has ended. */
const lookMs = 60_000
/** So many late times are counted; more are as good as that many. */
const mostMissed = 1000

/** The schedule with the next start after `after`, or at its end. */
export const planNext = (schedule: Schedule, after: number, times: Times): Schedule => {
  const [nextAt] = schedule.state === 'ACTIVE' ? times(schedule.timing, after, 1) : []
  const ended = schedule.state === 'ACTIVE' && nextAt === undefined && schedule.waitingFor === undefined
  return withDue({ ...schedule, nextAt, ...(ended && { state: 'ENDED' as const }) }, after)
}

const withDue = (schedule: Schedule, now: number): Schedule => {
  const { state, nextAt, waitingFor } = schedule
  const look = waitingFor === undefined ? undefined : now + lookMs
  const dueAt = state !== 'ACTIVE' ? undefined : look === undefined ? nextAt : Math.min(look, nextAt ?? look)
  return { ...schedule, dueAt }
}

export type Decision = {
  schedule: Schedule
  /** The start to make now. */
  start?: number
  /** The task to cancel before it. */
  cancel?: string
}

/** What time asks of a schedule; `busy`: the task of its last start has not ended. */
export const decide = (
  schedule: Schedule,
  { now, busy, times }: { now: number; busy: boolean; times: Times },
): Decision => {
  if (schedule.state !== 'ACTIVE') return { schedule }
  const late = lateTimes(schedule, now, times)
  const latest = late.at(-1)
  const counted = latest === undefined ? schedule : miss(schedule, late.length - 1)
  const moved = latest === undefined ? counted : planNext({ ...counted, state: 'ACTIVE' }, Math.max(latest, now), times)
  const inTime = latest !== undefined && now - latest <= schedule.catchUpSeconds * 1000 ? latest : undefined
  const settled = latest !== undefined && inTime === undefined ? miss(moved, 1) : moved
  const wanted = inTime ?? settled.waitingFor
  return wanted === undefined ? { schedule: withDue(settled, now) } : onOverlap(settled, wanted, { now, busy })
}

const lateTimes = ({ nextAt, timing, catchUpSeconds }: Schedule, now: number, times: Times): number[] => {
  if (nextAt === undefined || nextAt > now) return []
  const from = Math.max(nextAt, now - Math.max(catchUpSeconds, 60) * 1000)
  const late = times(timing, from - 1, mostMissed).filter((time) => time <= now)
  return late.length > 0 ? late : [nextAt]
}

const miss = (schedule: Schedule, missed: number): Schedule => ({
  ...schedule,
  counts: { ...schedule.counts, missed: schedule.counts.missed + missed },
})

const onOverlap = (schedule: Schedule, start: number, { now, busy }: { now: number; busy: boolean }): Decision => {
  const free = withEnd(withDue({ ...schedule, waitingFor: undefined }, now))
  if (!busy) return { schedule: free, start }
  if (schedule.overlap === 'cancel-previous') return { schedule: free, start, cancel: schedule.lastTask }
  if (schedule.overlap === 'queue')
    return { schedule: withDue({ ...schedule, state: 'ACTIVE', waitingFor: start }, now) }
  const message = `task ${schedule.lastTask} of the start before has not ended`
  return { schedule: record(free, { at: start, outcome: 'SKIPPED', message }) }
}

/** After its last start nothing more comes. */
const withEnd = (schedule: Schedule): Schedule =>
  schedule.nextAt === undefined ? { ...schedule, state: 'ENDED', dueAt: undefined } : schedule

const counterOf = { STARTED: 'started', SKIPPED: 'skipped', REFUSED: 'refused' } as const

/** Keeps how a start went. */
export const record = (schedule: Schedule, start: Start): Schedule => {
  const counter = counterOf[start.outcome]
  return {
    ...schedule,
    last: start,
    lastTask: start.task ?? schedule.lastTask,
    counts: { ...schedule.counts, [counter]: schedule.counts[counter] + 1 },
  }
}
