import type { Item, Platform } from '../../platform/platform.ts'
import { loadBody, planBody } from '../bodies/body.ts'
import type { Stamp } from '../caller.ts'
import { digest } from '../ids.ts'
import type { SubmitCommand } from '../tasks/submit-command.ts'
import { type Schedule, schedulePk } from './schedule.ts'

/** What is submitted at each start. */
export type StartedTask = Omit<SubmitCommand, 'idempotencyKey' | 'runAt'>

type Kept = Pick<Schedule, 'task' | 'payload'>
type Place = { tenant: string; id: string; stamp: Stamp }

/**
 * Keeps a large input outside of the head, which each start writes anew. An item is named by what is in it: the same
 * again replaces it with itself, and a start that is under way finds the one that it read of.
 */
export const planTask = async (
  ports: Pick<Platform, 'objects' | 'clock'>,
  { tenant, id, stamp }: Place,
  { input, shards, ...task }: StartedTask,
): Promise<Kept & { items: Item[] }> => {
  if (input === undefined && shards === undefined) return { task, payload: undefined, items: [] }
  const value = { ...(input !== undefined && { input }), ...(shards !== undefined && { shards }) }
  const sk = `payload#${digest(value)}`
  const { body, items } = await planBody(ports, { tenant, pk: schedulePk(tenant, id), sk, value, stamp })
  return { task, payload: body, items }
}

/** The task as it was given. */
export const loadTask = async (
  ports: Pick<Platform, 'main' | 'objects'>,
  { tenant, id, task, payload }: Schedule,
): Promise<StartedTask> => {
  if (payload === undefined) return task
  const value = await loadBody(ports, { tenant, pk: schedulePk(tenant, id), body: payload })
  if (value === null) throw new Error(`what schedule ${id} submits is gone`)
  return { ...task, ...(value as Pick<StartedTask, 'input' | 'shards'>) }
}

/** The same without what is not in the head. */
export const shortTask = ({ task, payload }: Kept): StartedTask =>
  payload?.in === 'head' ? { ...task, ...(payload.value as Pick<StartedTask, 'input' | 'shards'>) } : task
