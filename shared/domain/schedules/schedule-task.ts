import type { Item, Platform } from '../../platform/platform.ts'
import { deleteBody, loadBody, planBody } from '../bodies/body.ts'
import type { Stamp } from '../caller.ts'
import { digest } from '../ids.ts'
import type { SubmitCommand } from '../tasks/submit-command.ts'
import { type Schedule, schedulePk } from './schedule.ts'
import { findSchedule } from './schedule-store.ts'

/** What is submitted at each start. */
export type StartedTask = Omit<SubmitCommand, 'idempotencyKey' | 'runAt'>

type Kept = Pick<Schedule, 'task' | 'payload'>
/** `version`: of a change, so that nothing which is kept later has the name of what the change replaces. */
type Place = { tenant: string; id: string; stamp: Stamp; version?: string }

/** Keeps a large input outside of the head, which each start writes anew. A repeated creation replaces it with itself. */
export const planTask = async (
  ports: Pick<Platform, 'objects' | 'clock'>,
  { tenant, id, stamp, version = '' }: Place,
  { input, shards, ...task }: StartedTask,
): Promise<Kept & { items: Item[] }> => {
  if (input === undefined && shards === undefined) return { task, payload: undefined, items: [] }
  const value = { ...(input !== undefined && { input }), ...(shards !== undefined && { shards }) }
  const sk = `payload#${version}${digest(value)}`
  const { body, items } = await planBody(ports, { tenant, pk: schedulePk(tenant, id), sk, value, stamp })
  return { task, payload: body, items }
}

type Ports = Pick<Platform, 'main' | 'objects'>

/** The task as it was given; the one that has replaced it, where that is over. */
export const loadTask = async (ports: Ports, schedule: Schedule): Promise<StartedTask> => {
  try {
    return await loadKept(ports, schedule)
  } catch (error) {
    const current = (await findSchedule(ports, schedule.tenant, schedule.id))?.value
    if (current === undefined || digest(current.payload) === digest(schedule.payload)) throw error
    return loadTask(ports, current)
  }
}

const loadKept = async (ports: Ports, { tenant, id, task, payload }: Schedule): Promise<StartedTask> => {
  if (payload === undefined) return task
  const value = await loadBody(ports, { tenant, pk: schedulePk(tenant, id), body: payload })
  if (value === null) throw new Error(`what schedule ${id} submits is gone`)
  return { ...task, ...(value as Pick<StartedTask, 'input' | 'shards'>) }
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
export const shortTask = ({ task, payload }: Kept): StartedTask =>
  payload?.in === 'head' ? { ...task, ...(payload.value as Pick<StartedTask, 'input' | 'shards'>) } : task
