import type { Platform } from '../../platform/platform.ts'
import { type Caller, systemStamp } from '../caller.ts'
import { remind } from '../dispatch/due.ts'
import { DomainError } from '../domain-error.ts'
import { idFromKey } from '../ids.ts'
import { cancelTask } from '../tasks/cancel-task.ts'
import { type CheckInput, submitTask } from '../tasks/submit-task.ts'
import { isFinished } from '../tasks/task.ts'
import { findTask } from '../tasks/task-store.ts'
import { isOver } from '../workflows/run.ts'
import { findRun } from '../workflows/run-store.ts'
import { runIdOf, startRun } from '../workflows/start-run.ts'
import { stopChild } from '../workflows/stop-run.ts'
import { begin, decide, isRunId, type Schedule, type Start, settle, type Times } from './schedule.ts'
import { findSchedule, saveSchedule } from './schedule-store.ts'
import { loadWork, type StartedRun, type StartedTask } from './schedule-task.ts'

type Ports = Omit<Platform, 'feed' | 'bus' | 'hosts' | 'generation'>

/** What the domain is given from outside: the arithmetic of calendars, and the check of inputs. */
export type ScheduleTools = { times: Times; checkInput: CheckInput }

const rounds = 10

/**
 * Makes the start that is due, if one is. It is decided on in one write and made after that: however often it is called
 * for one time, and wherever it ends, there is one task, whose idempotency key is the schedule and the time.
 */
export const attendSchedule = async (ports: Ports, tenant: string, id: string, tools: ScheduleTools): Promise<void> => {
  for (let round = 0; round < rounds; round++) {
    const found = await findSchedule(ports, tenant, id)
    if (found === undefined) return
    const next = await advance(ports, found.value, tools)
    if (next === found.value) return
    const saved = await saveSchedule(ports, found, { ...next, stamp: systemStamp('schedule.attend') })
    if (saved === undefined || next.starting !== undefined) continue // somebody else came first; or its task comes next
    if (next.dueAt !== undefined) await remind(ports, { tenant, id, at: next.dueAt })
    return
  }
  throw new DomainError('CONTENDED', `too many change schedule ${id} at once; it is looked at again`)
}

const advance = async (ports: Ports, schedule: Schedule, { times, checkInput }: ScheduleTools): Promise<Schedule> => {
  const { starting, replaces } = schedule
  if (starting === undefined) return decideNow(ports, schedule, times)
  if (replaces !== undefined) await cancelPrevious(ports, schedule, replaces)
  return settle(schedule, await makeStart(ports, schedule, starting, checkInput), ports.clock.now())
}

/** The schedule with what is decided by now, and itself where nothing is: what comes of a start that it begins is made later. */
export const decideNow = async (
  ports: Pick<Platform, 'main' | 'clock'>,
  schedule: Schedule,
  times: Times,
): Promise<Schedule> => {
  const { starting, waitingFor, dueAt } = schedule
  if (starting !== undefined) return schedule
  const now = ports.clock.now()
  const busy = await isBusy(ports, schedule)
  const waits = waitingFor !== undefined && !busy
  if (!waits && (dueAt === undefined || dueAt > now)) return schedule
  const { schedule: moved, start, cancel } = decide(schedule, { now, busy, times })
  return start === undefined ? moved : begin(moved, start, now, cancel)
}

/** Whether what the last start made has not ended. */
export const isBusy = async (ports: Pick<Platform, 'main'>, { tenant, lastTask }: Schedule): Promise<boolean> => {
  if (lastTask !== undefined && isRunId(lastTask)) {
    const run = await findRun(ports, tenant, lastTask)
    return run !== undefined && !isOver(run.value)
  }
  const task = lastTask === undefined ? undefined : await findTask(ports, tenant, lastTask)
  return task !== undefined && !isFinished(task.value)
}

/** The idempotency key of what a start makes; none that a caller can choose. */
const startKey = (id: string, at: number): string => `${id}\n${at}`

/** A schedule acts for whoever made it. */
const callerOf = ({ tenant, id, by }: Schedule): Caller => ({
  tenant,
  principal: by ?? { kind: 'key', id: `schedule:${id}`, role: 'admin' },
  requestId: id,
})

const cancelPrevious = async (ports: Ports, schedule: Schedule, task: string): Promise<void> => {
  if (isRunId(task))
    return stopChild(ports, schedule.tenant, task, `the next start of schedule ${schedule.id} takes its place`)
  try {
    await cancelTask(ports, callerOf(schedule), task)
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'ALREADY_FINISHED') throw error
  }
}

/**
 * A start that is refused is recorded and does not come again; what fails in passing is thrown, and comes again. A task
 * that is there under the key of the start is its task, although the schedule was changed since.
 */
const makeStart = async (ports: Ports, schedule: Schedule, at: number, checkInput: CheckInput): Promise<Start> => {
  const { task, run } = await loadWork(ports, schedule)
  const only = { schedule: schedule.id, idempotencyKey: startKey(schedule.id, at) }
  try {
    const made = run
      ? { run: (await startRun(ports, callerOf(schedule), { ...run, ...only }, checkInput)).id }
      : { task: (await submitTask(ports, callerOf(schedule), { ...(task as StartedTask), ...only }, checkInput)).id }
    return { at, ...made, outcome: 'STARTED' }
  } catch (error) {
    if (!(error instanceof DomainError) || error.code === 'CONTENDED') throw error
    if (error.code === 'IDEMPOTENCY_CONFLICT') return { at, ...madeAt(schedule, at, run), outcome: 'STARTED' }
    return { at, outcome: 'REFUSED', message: `${error.code}: ${error.message}` }
  }
}

/** What a start makes: its id follows from the schedule and the time. */
export const madeAt = (
  { tenant, id }: Schedule,
  at: number,
  run: Pick<StartedRun, 'workflow'> | undefined,
): { task: string } | { run: string } =>
  run === undefined
    ? { task: idFromKey('tsk', tenant, startKey(id, at)) }
    : { run: runIdOf(tenant, run.workflow, startKey(id, at)) }
