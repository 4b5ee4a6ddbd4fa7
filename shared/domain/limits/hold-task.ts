import type { Platform, Stored } from '../../platform/platform.ts'
import { systemStamp } from '../caller.ts'
import { sendTask } from '../dispatch/send-task.ts'
import { processMemory } from '../process-memory.ts'
import { resendMs, type Task } from '../tasks/task.ts'
import { changeTask } from '../tasks/task-store.ts'
import type { Refusal } from './admit.ts'
import { forgetSent } from './first-held.ts'
import { noteHeld } from './held-limits.ts'
import { findLimit } from './limits-store.ts'
import { recountWhenStuck } from './recount.ts'
import { nthTokenAt } from './token-bucket.ts'
import { limitRoom, remindLimit, wake } from './wake.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random' | 'queues' | 'telemetry'>

/**
 * A limit is in the way of a task: it is held until there is room. What left between the refusal and the record of it
 * would wake nobody, so it is looked at once more.
 */
export const holdTask = async (ports: Ports, start: Stored<Task>, refusal: Refusal): Promise<void> => {
  const { tenant } = start.value
  const { limit } = refusal
  const dueAt = refusal.at === undefined ? ports.clock.now() + resendMs : promise(ports, start.value, refusal)
  const { task } = await changeTask(ports, start, (current) => ({
    task: held(current, refusal, { dueAt, now: ports.clock.now() }),
    answer: undefined,
  }))
  if (task.status !== 'QUEUED' || task.heldBy !== limit.id) return
  forgetSent(ports, task.id)
  await noteHeld(ports, tenant, limit.id)
  const { room, at } = await limitRoom(ports, tenant, limit)
  if (at !== undefined) await remindLimit(ports, tenant, limit.id, at)
  if (room < 1) return
  const sent = await wake(ports, tenant, limit.id)
  if (sent.length === 0) await sendTask(ports, task) // an index that lags may not show it yet
}

const held = (task: Task, { limit, code, message }: Refusal, { dueAt, now }: { dueAt: number; now: number }): Task => {
  if (task.status !== 'QUEUED' || task.target === undefined) return task
  const same = task.heldBy === limit.id && task.blockedBy?.message === message
  if (same && (task.dueAt ?? 0) > now) return task
  const due = Math.min(dueAt, task.deadline)
  return { ...task, heldBy: limit.id, blockedBy: { code, message }, dueAt: due, stamp: systemStamp('task.hold') }
}

/** The last token that this process promised of each rate: who is held next is told the next one. */
const promises = processMemory<number>()

/** One that was promised a token before keeps its promise, or is told the next token of all when that has passed. */
const promise = (
  { volatile, clock }: Ports,
  { tenant, heldBy, dueAt = 0 }: Task,
  { limit, at = 0 }: Refusal,
): number => {
  if (heldBy === limit.id) return dueAt > clock.now() ? dueAt : at
  const id = `${tenant}#${limit.id}#${limit.rate?.since}`
  const known = promises(volatile)
  const last = known.get(id)
  const next = limit.rate === undefined || last === undefined ? at : Math.max(at, nthTokenAt(limit.rate, last, 1))
  known.set(id, next)
  return next
}

/** The sweep looks at a held task: whatever lost its wake-up, it is sent when there is room. */
export const attendHeld = async (ports: Ports, task: Task): Promise<void> => {
  if (task.heldBy === undefined) return
  const limit = await findLimit(ports, task.tenant, task.heldBy)
  const { room } = await limitRoom(ports, task.tenant, limit)
  if (room >= 1 || (await recountWhenStuck(ports, task.tenant, task.heldBy))) await sendTask(ports, task)
}

/** A reminder of a limit came, or the limit changed: wakes those for which there is room now. */
export const attendLimit = async (ports: Ports, tenant: string, limit: string): Promise<void> => {
  await recountWhenStuck(ports, tenant, limit)
  await wake(ports, tenant, limit)
}
