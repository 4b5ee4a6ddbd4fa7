import type { Item, Platform, Stored } from '../../platform/platform.ts'
import { type Caller, stamp } from '../caller.ts'
import { compete } from '../contention.ts'
import { remind } from '../dispatch/due.ts'
import { digest, idFor, newRev } from '../ids.ts'
import { type IfMatch, requireRev } from '../require-rev.ts'
import { requireKept, requireSame } from '../require-same.ts'
import { decideNow, type ScheduleTools } from './attend-schedule.ts'
import { checkWork } from './check-work.ts'
import { requireRoom } from './jitter.ts'
import { type Overlap, planNext, type Schedule, type Timing, withDue } from './schedule.ts'
import { createSchedule, getSchedule, putAny, saveSchedule } from './schedule-store.ts'
import { dropPayload, planTask, type StartedRun, type StartedTask } from './schedule-task.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random' | 'queues' | 'telemetry'>
type CheckPorts = Omit<Platform, 'feed' | 'bus' | 'hosts' | 'generation'>

export type ScheduleCommand = {
  name?: string
  timing: Timing
  /** One of them. */
  task?: StartedTask
  run?: StartedRun
  overlap: Overlap
  catchUpSeconds: number
  jitterSeconds?: number
  state: 'ACTIVE' | 'PAUSED'
}

/** Makes a schedule; a repeated creation under its key answers the first one. */
export const makeSchedule = async (
  ports: CheckPorts,
  caller: Caller,
  { idempotencyKey, ...command }: ScheduleCommand & { idempotencyKey?: string },
  { times, checkInput }: ScheduleTools,
): Promise<Stored<Schedule>> => {
  const { tenant } = caller
  const now = ports.clock.now()
  const id = idFor('sch', tenant, idempotencyKey, ports)
  await checkWork(ports, { tenant, id, work: command }, checkInput)
  const stamped = stamp(caller, 'schedule.create')
  const { items, ...kept } = await planTask(ports, { tenant, id, stamp: stamped }, command)
  const schedule = planNext(
    {
      ...command,
      ...kept,
      id,
      tenant,
      counts: { started: 0, skipped: 0, missed: 0, refused: 0 },
      createdAt: now,
      updatedAt: now,
      created: digest({
        ...command,
        timing: 'rate' in command.timing ? command.timing.rate.everySeconds : command.timing,
      }),
      stamp: stamped,
      by: caller.principal,
    },
    now - 1,
    times,
  )
  requireRoom(schedule, now, times)
  const existing = await createSchedule(ports, schedule, items)
  if (existing) requireKept(`schedule ${id}`, idempotencyKey, existing.deletedAt !== undefined)
  if (existing) requireSame(`schedule ${id}`, idempotencyKey, { before: existing.created, now: schedule.created })
  await remindOf(ports, schedule)
  return getSchedule(ports, tenant, id)
}

const remindOf = async (ports: Ports, { tenant, id, dueAt }: Schedule): Promise<void> => {
  if (dueAt !== undefined) await remind(ports, { tenant, id, at: dueAt })
}

/** `timing` may be made from the one before. */
type SchedulePatch = Partial<Omit<ScheduleCommand, 'timing'>> & {
  timing?: Timing | ((before: Timing) => Timing)
}

type Change = { ifMatch?: IfMatch; items?: Item[]; change: (schedule: Schedule) => Schedule | Promise<Schedule> }

/** Changes what is stored: from the beginning when somebody else came first, unless the caller named what it saw. */
const changeFound = (ports: Ports, tenant: string, id: string, { ifMatch, items = [], change }: Change) =>
  compete(ports, `schedule ${id}`, async () => {
    const found = await getSchedule(ports, tenant, id)
    requireRev(`schedule ${id}`, found, ifMatch)
    const saved = await saveSchedule(ports, found, await change(found.value), items.map(putAny))
    return saved && { done: { saved, before: found.value } }
  })

/**
 * Changes what is named; with another time or state the next start is planned anew. What was due before it, or waits, is
 * made; what a pause kept is not made up.
 */
export const patchSchedule = async (
  ports: CheckPorts,
  caller: Caller,
  id: string,
  { patch: { task, run, timing, ...patch }, ifMatch }: { patch: SchedulePatch; ifMatch?: IfMatch },
  { times, checkInput }: ScheduleTools,
): Promise<Stored<Schedule>> => {
  const { tenant } = caller
  requireRev(`schedule ${id}`, await getSchedule(ports, tenant, id), ifMatch)
  const isOther = task !== undefined || run !== undefined
  if (isOther) await checkWork(ports, { tenant, id, work: { task, run } }, checkInput)
  const stamped = stamp(caller, 'schedule.patch')
  const { items, ...kept } = isOther
    ? await planTask(ports, { tenant, id, stamp: stamped, version: newRev(ports) }, { task, run })
    : { items: [] }
  const now = ports.clock.now()
  const change = async (found: Schedule): Promise<Schedule> => {
    const state = patch.state ?? (timing && found.state === 'ENDED' ? 'ACTIVE' : found.state)
    const isReplanned = timing !== undefined || state !== found.state
    const decided = isReplanned ? await decideNow(ports, found, times) : found
    const timed = { ...decided, timing: typeof timing === 'function' ? timing(found.timing) : (timing ?? found.timing) }
    const changed = { ...timed, ...patch, ...kept, state, updatedAt: now, stamp: stamped }
    const next = isReplanned ? planNext(changed, now, times) : withDue(changed, now)
    requireRoom(next, now, times)
    return next
  }
  const { saved, before } = await changeFound(ports, tenant, id, { ifMatch, items, change })
  if (isOther) await dropPayload(ports, before)
  await remindOf(ports, saved.value)
  return saved
}

/** It starts nothing more; what it started goes on. */
export const deleteSchedule = async (ports: Ports, caller: Caller, id: string, ifMatch?: IfMatch): Promise<void> => {
  const now = ports.clock.now()
  const gone = { state: 'ENDED' as const, nextAt: undefined, waitingFor: undefined, dueAt: undefined, deletedAt: now }
  const stamped = stamp(caller, 'schedule.delete')
  const change = (found: Schedule): Schedule => ({ ...found, ...gone, updatedAt: now, stamp: stamped })
  await changeFound(ports, caller.tenant, id, { ifMatch, change })
}
