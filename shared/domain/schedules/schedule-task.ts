import type { Item, Platform } from '../../platform/platform.ts'
import { deleteBody, loadBody, planBody } from '../bodies/body.ts'
import type { Stamp } from '../caller.ts'
import { digest } from '../ids.ts'
import type { SubmitCommand } from '../tasks/submit-command.ts'
import { type Schedule, schedulePk } from './schedule.ts'
import { findSchedule } from './schedule-store.ts'

/** What is submitted at each start. */
export type StartedTask = Omit<SubmitCommand, 'idempotencyKey' | 'runAt'>

/** The run that is started at each start. */
export type StartedRun = { workflow: string; version?: string; input?: unknown }
/** Exactly one of them. */
export type Work = { task?: StartedTask; run?: StartedRun }

type Kept = Pick<Schedule, 'task' | 'run' | 'payload'>
/** `version`: of a change, so that nothing which is kept later has the name of what the change replaces. */
type Place = { tenant: string; id: string; stamp: Stamp; version?: string }

/** What may be large, and the rest. One that replaces the other leaves nothing of it. */
const apart = ({ task, run }: Work): Omit<Kept, 'payload'> & { input?: unknown; shards?: StartedTask['shards'] } => {
  if (run !== undefined) {
    const { input, ...rest } = run
    return { run: rest, task: undefined, input }
  }
  const { input, shards, ...rest } = task as StartedTask
  return { task: rest, run: undefined, input, shards }
}

/** Keeps a large input outside of the head, which each start writes anew. A repeated creation replaces it with itself. */
export const planTask = async (
  ports: Pick<Platform, 'objects' | 'clock'>,
  { tenant, id, stamp, version = '' }: Place,
  work: Work,
): Promise<Kept & { items: Item[] }> => {
  const { input, shards, ...kept } = apart(work)
  if (input === undefined && shards === undefined) return { ...kept, payload: undefined, items: [] }
  const value = { ...(input !== undefined && { input }), ...(shards !== undefined && { shards }) }
  const sk = `payload#${version}${digest(value)}`
  const { body, items } = await planBody(ports, { tenant, pk: schedulePk(tenant, id), sk, value, stamp })
  return { ...kept, payload: body, items }
}

type Ports = Pick<Platform, 'main' | 'objects'>

/** The task, or the run, as it was given; the one that has replaced it, where that is over. */
export const loadWork = async (ports: Ports, schedule: Schedule): Promise<Work> => {
  try {
    return await loadKept(ports, schedule)
  } catch (error) {
    const current = (await findSchedule(ports, schedule.tenant, schedule.id))?.value
    if (current === undefined || digest(current.payload) === digest(schedule.payload)) throw error
    return loadWork(ports, current)
  }
}

type Payload = Pick<StartedTask, 'input' | 'shards'>

const together = ({ task, run }: Kept, payload: Payload): Work =>
  run === undefined ? { task: { ...(task as StartedTask), ...payload } } : { run: { ...run, ...payload } }

const loadKept = async (ports: Ports, schedule: Schedule): Promise<Work> => {
  const { tenant, id, payload } = schedule
  if (payload === undefined) return together(schedule, {})
  const value = await loadBody(ports, { tenant, pk: schedulePk(tenant, id), body: payload })
  if (value === null) throw new Error(`what schedule ${id} submits is gone`)
  return together(schedule, value as Payload)
}

/** Deletes what was kept of a task that another one has replaced; what is left of it harms nobody. */
export const dropPayload = async (
  ports: Ports & Pick<Platform, 'telemetry'>,
  { tenant, id, payload }: Schedule,
): Promise<void> => {
  const place = { tenant, pk: schedulePk(tenant, id), body: payload }
  await deleteBody(ports, place).catch((error: unknown) =>
    ports.telemetry.log('warn', 'a replaced input of a schedule was not deleted', {
      schedule: id,
      error: String(error),
    }),
  )
}

/** The same without what is not in the head. */
export const shortWork = (kept: Kept): Work =>
  together(kept, kept.payload?.in === 'head' ? (kept.payload.value as Payload) : {})
