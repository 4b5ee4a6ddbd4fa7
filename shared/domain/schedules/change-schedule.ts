import type { Platform, Stored } from '../../platform/platform.ts'
import { type Caller, stamp } from '../caller.ts'
import { remind } from '../dispatch/due.ts'
import { DomainError } from '../domain-error.ts'
import { digest, idFor } from '../ids.ts'
import type { ScheduleTools } from './attend-schedule.ts'
import { checkTask } from './check-task.ts'
import { requireRoom } from './jitter.ts'
import { type Overlap, planNext, type Schedule, type Timing, withDue } from './schedule.ts'
import { createSchedule, getSchedule, saveSchedule } from './schedule-store.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random' | 'queues' | 'telemetry'>
type CheckPorts = Omit<Platform, 'feed' | 'bus' | 'hosts' | 'generation'>

export type ScheduleCommand = {
  name?: string
  timing: Timing
  task: Schedule['task']
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
  await checkTask(ports, { tenant, id, task: command.task }, checkInput)
  const schedule = planNext(
    {
      ...command,
      id,
      tenant,
      counts: { started: 0, skipped: 0, missed: 0, refused: 0 },
      createdAt: now,
      updatedAt: now,
      created: digest({
        ...command,
        timing: 'rate' in command.timing ? command.timing.rate.everySeconds : command.timing,
      }),
      stamp: stamp(caller, 'schedule.create'),
      by: caller.principal,
    },
    now - 1,
    times,
  )
  requireRoom(schedule, now, times)
  const existing = await createSchedule(ports, schedule)
  if (existing && existing.created !== schedule.created)
    throw new DomainError(
      'IDEMPOTENCY_CONFLICT',
      `the idempotency key ${idempotencyKey} was used for schedule ${id} with another body`,
    )
  await remindOf(ports, schedule)
  return getSchedule(ports, tenant, id)
}

const remindOf = async (ports: Ports, { tenant, id, dueAt }: Schedule): Promise<void> => {
  if (dueAt !== undefined) await remind(ports, { tenant, id, at: dueAt })
}

const requireRev = (found: Stored<Schedule>, ifMatch: string | undefined): void => {
  if (ifMatch !== undefined && ifMatch !== found.rev)
    throw new DomainError(
      'PRECONDITION_FAILED',
      `schedule ${found.value.id} is at ${found.rev}, not at ${ifMatch}; read it again`,
    )
}

const save = async (ports: Ports, found: Stored<Schedule>, next: Schedule): Promise<Stored<Schedule>> => {
  const saved = await saveSchedule(ports, found, next)
  if (saved === undefined)
    throw new DomainError('PRECONDITION_FAILED', `schedule ${next.id} was changed meanwhile; read it again`)
  return saved
}

/** Changes what is named; with another time or state the next start is planned anew, and what a pause kept is not made up. */
export const patchSchedule = async (
  ports: CheckPorts,
  caller: Caller,
  id: string,
  { patch, ifMatch }: { patch: Partial<ScheduleCommand>; ifMatch?: string },
  { times, checkInput }: ScheduleTools,
): Promise<Stored<Schedule>> => {
  const found = await getSchedule(ports, caller.tenant, id)
  requireRev(found, ifMatch)
  if (patch.task) await checkTask(ports, { tenant: caller.tenant, id, task: patch.task }, checkInput)
  const now = ports.clock.now()
  const state = patch.state ?? (patch.timing && found.value.state === 'ENDED' ? 'ACTIVE' : found.value.state)
  const changed = { ...found.value, ...patch, state, updatedAt: now, stamp: stamp(caller, 'schedule.patch') }
  const kept = state === 'ACTIVE' ? changed : { ...changed, waitingFor: undefined }
  const next = patch.timing || state !== found.value.state ? planNext(kept, now, times) : withDue(kept, now)
  requireRoom(next, now, times)
  const saved = await save(ports, found, next)
  await remindOf(ports, saved.value)
  return saved
}

/** It starts nothing more; what it started goes on. */
export const deleteSchedule = async (ports: Ports, caller: Caller, id: string, ifMatch?: string): Promise<void> => {
  const found = await getSchedule(ports, caller.tenant, id)
  requireRev(found, ifMatch)
  const now = ports.clock.now()
  const gone = { state: 'ENDED' as const, nextAt: undefined, waitingFor: undefined, dueAt: undefined, deletedAt: now }
  await save(ports, found, { ...found.value, ...gone, updatedAt: now, stamp: stamp(caller, 'schedule.delete') })
}
