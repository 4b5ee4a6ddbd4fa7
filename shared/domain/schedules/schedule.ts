import type { Body } from '../bodies/body.ts'
import type { Principal, Stamp } from '../caller.ts'
import type { SubmitCommand } from '../tasks/submit-command.ts'
import { startOf } from './jitter.ts'

/** When: a cron expression of five or six fields in a time zone, every so many seconds, or once. Times in milliseconds. */
export type Timing =
  | { cron: { expression: string; timeZone: string } }
  | { rate: { everySeconds: number; from: number } }
  | { at: number }

/** What happens to a start while the task of the one before has not ended. */
export type Overlap = 'skip' | 'queue' | 'cancel-previous'
export type ScheduleState = 'ACTIVE' | 'PAUSED' | 'ENDED'

/** How a start went: the task or the run that it made, or why there is none. */
export type Start = {
  at: number
  task?: string
  run?: string
  outcome: 'STARTED' | 'SKIPPED' | 'REFUSED'
  message?: string
}

export type Schedule = {
  id: string
  tenant: string
  name?: string
  timing: Timing
  /** What is submitted at each start, with what `payload` keeps apart: its input, or its shards. */
  task?: Omit<SubmitCommand, 'idempotencyKey' | 'runAt' | 'input' | 'shards'>
  /** The workflow that is started instead; `payload` has its input. */
  run?: { workflow: string; version?: string }
  payload?: Body
  overlap: Overlap
  /** A start that is late by more is missed. */
  catchUpSeconds: number
  /** A start is made up to so much after its time. @default 0 */
  jitterSeconds?: number
  state: ScheduleState
  /** The next start; absent when there is none. */
  nextAt?: number
  /** A start that was decided on, and whose task may not be there yet: made again, it is the same task. */
  starting?: number
  /** The task that ends before that start: decided on with it. */
  replaces?: string
  /** A start that waits for the end of the task before it. */
  waitingFor?: number
  last?: Start
  /** The last task, or run, that was started. */
  lastTask?: string
  counts: { started: number; skipped: number; missed: number; refused: number }
  dueAt?: number
  createdAt: number
  updatedAt: number
  deletedAt?: number
  /** Digest of what was asked for, to tell a repeated creation from another one. */
  created: string
  stamp: Stamp
  /** Who made it, and submits what it starts. */
  by?: Principal
}

/** Up to `count` times after `after`, ascending. */
export type Times = (timing: Timing, after: number, count: number) => number[]

/** Partition of the items of a schedule. */
export const schedulePk = (tenant: string, id: string): string => `${tenant}#schedule#${id}`

/** How often a start that waits looks by itself whether the task before has ended. */
const lookMs = 60_000
/** A start is not missed by what its host is late by itself: the sweep looks once a minute. */
const ownLatenessMs = 90_000
/** So many late times are counted at once; more are as good as that many. */
const mostLate = 1000

/** The schedule with the next start after `after`, or at its end. */
export const planNext = (schedule: Schedule, after: number, times: Times): Schedule => {
  const [nextAt] = schedule.state === 'ACTIVE' ? times(schedule.timing, after, 1) : []
  const ended = schedule.state === 'ACTIVE' && nextAt === undefined && schedule.waitingFor === undefined
  return withDue({ ...schedule, nextAt, ...(ended && { state: 'ENDED' as const }) }, after)
}

/** The schedule with when it is looked at next. */
export const withDue = (schedule: Schedule, now: number): Schedule => ({ ...schedule, dueAt: dueOf(schedule, now) })

const dueOf = (schedule: Schedule, now: number): number | undefined => {
  const { state, nextAt, starting, waitingFor } = schedule
  if (starting !== undefined) return now
  const start = state !== 'ACTIVE' || nextAt === undefined ? undefined : startOf(schedule, nextAt)
  return waitingFor === undefined ? start : Math.min(now + lookMs, start ?? now + lookMs)
}

export type Decision = {
  schedule: Schedule
  /** The start to make now. */
  start?: number
  /** The task to cancel before it. */
  cancel?: string
}

/**
 * What time asks of a schedule; `busy`: the task of its last start has not ended. While it is paused no time comes, and a
 * start that waits is made all the same.
 */
export const decide = (
  schedule: Schedule,
  { now, busy, times }: { now: number; busy: boolean; times: Times },
): Decision => {
  const late = schedule.state === 'ACTIVE' ? lateTimes(schedule, now, times) : []
  const latest = late.at(-1)
  const inTime = latest !== undefined && now - startOf(schedule, latest) <= latenessOf(schedule) ? latest : undefined
  const missed = inTime === undefined ? late.length : late.length - 1
  const moved = latest === undefined ? schedule : planNext(count(schedule, 'missed', missed), latest, times)
  const wanted = inTime ?? moved.waitingFor
  if (wanted === undefined) return { schedule: withDue(moved, now) }
  const replaced = inTime !== undefined && moved.waitingFor !== undefined
  return onOverlap(replaced ? count(moved, 'skipped', 1) : moved, wanted, { now, busy })
}

const latenessOf = ({ catchUpSeconds }: Schedule): number => Math.max(catchUpSeconds * 1000, ownLatenessMs)

/** Every time that has come and was not decided on, ascending. */
const lateTimes = (schedule: Schedule, now: number, times: Times): number[] => {
  const { nextAt } = schedule
  if (nextAt === undefined || startOf(schedule, nextAt) > now) return []
  const until = (after: number) => comeBy(schedule, timesTo(schedule, after, now, times), now)
  const late = until(nextAt - 1)
  if (late.length < mostLate) return late
  const recent = [ownLatenessMs, ownLatenessMs * 40, latenessOf(schedule)].map((ms) => until(now - ms).at(-1))
  return [...late.slice(1), recent.find((time) => time !== undefined) ?? late.at(-1) ?? nextAt]
}

/** Times from `after` to the first that is ahead, `mostLate` at most: mostly one has come, and each costs. */
const timesTo = (schedule: Schedule, after: number, now: number, times: Times): number[] => {
  for (let asked = 4; ; asked = Math.min(asked * 4, mostLate)) {
    const planned = times(schedule.timing, after, asked)
    const last = planned.at(-1)
    if (planned.length < asked || asked === mostLate || last === undefined || startOf(schedule, last) > now)
      return planned
  }
}

/** Those of ascending times whose starts have come: one that is ahead keeps back all after it. */
const comeBy = (schedule: Schedule, planned: number[], now: number): number[] => {
  const ahead = planned.findIndex((time) => startOf(schedule, time) > now)
  return ahead === -1 ? planned : planned.slice(0, ahead)
}

type Counter = keyof Schedule['counts']

const count = (schedule: Schedule, counter: Counter, by: number): Schedule => ({
  ...schedule,
  counts: { ...schedule.counts, [counter]: schedule.counts[counter] + by },
})

const onOverlap = (schedule: Schedule, start: number, { now, busy }: { now: number; busy: boolean }): Decision => {
  const free = withEnd(withDue({ ...schedule, waitingFor: undefined }, now))
  if (!busy) return { schedule: free, start }
  if (schedule.overlap === 'cancel-previous') return { schedule: free, start, cancel: schedule.lastTask }
  if (schedule.overlap === 'queue') return { schedule: withWaiting(schedule, start, now) }
  const message = notEnded(schedule)
  return { schedule: record(free, { at: start, outcome: 'SKIPPED', message }) }
}

/** Whether an id is that of a run, and not of a task. */
export const isRunId = (id: string): boolean => id.startsWith('run_')

/** What keeps a start from being made. */
export const notEnded = ({ lastTask = '' }: Schedule): string =>
  `${isRunId(lastTask) ? 'run' : 'task'} ${lastTask} of the start before has not ended`

/** After its last start nothing more comes. */
const withEnd = (schedule: Schedule): Schedule =>
  schedule.state === 'ACTIVE' && schedule.nextAt === undefined
    ? { ...schedule, state: 'ENDED', dueAt: undefined }
    : schedule

/** It has not ended while a start waits. */
const withWaiting = (schedule: Schedule, start: number, now: number): Schedule =>
  withDue({ ...schedule, state: schedule.state === 'PAUSED' ? 'PAUSED' : 'ACTIVE', waitingFor: start }, now)

/** A start waits for the end of the task before; the one that waited so far is skipped. */
export const holdBack = (schedule: Schedule, start: number, now: number): Schedule => {
  const { waitingFor } = schedule
  const rest = waitingFor === undefined ? schedule : count(schedule, 'skipped', 1)
  return withWaiting(rest, start, now)
}

const counterOf = { STARTED: 'started', SKIPPED: 'skipped', REFUSED: 'refused' } as const

/** The start is decided on; whoever looks next makes its task. */
export const begin = (schedule: Schedule, start: number, now: number, cancel?: string): Schedule =>
  withDue({ ...schedule, starting: start, replaces: cancel }, now)

/** The task of the start is there, or was refused. */
export const settle = (schedule: Schedule, start: Start, now: number): Schedule =>
  withDue(record({ ...schedule, starting: undefined, replaces: undefined }, start), now)

/** Keeps how a start went. */
export const record = (schedule: Schedule, start: Start): Schedule =>
  count(
    { ...schedule, last: start, lastTask: start.task ?? start.run ?? schedule.lastTask },
    counterOf[start.outcome],
    1,
  )
