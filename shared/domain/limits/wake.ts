import type { Platform } from '../../platform/platform.ts'
import { remind } from '../dispatch/due.ts'
import { sendTask } from '../dispatch/send-task.ts'
import { processMemory } from '../process-memory.ts'
import { firstHeld, forgetSent, noteSent, onItsWayMs } from './first-held.ts'
import type { NamedLimit } from './limit.ts'
import { findLimit } from './limits-store.ts'
import { placesTaken } from './places.ts'
import { tokensOf } from './tokens.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random' | 'queues' | 'telemetry'>

/** How many more tasks a limit lets start now, and when it will be more for sure (ms). */
export const limitRoom = async (
  ports: Ports,
  tenant: string,
  limit: NamedLimit | undefined,
): Promise<{ room: number; at?: number }> => {
  const { id = '', concurrency, rate } = limit ?? {}
  const places =
    concurrency === undefined ? Number.POSITIVE_INFINITY : concurrency - (await placesTaken(ports, tenant, id))
  if (rate === undefined || places < 1) return { room: Math.max(0, places) }
  const { left, at } = await tokensOf(ports, { tenant, limit: id, rate })
  const whole = Math.floor(left + 0.001)
  return whole < 1 ? { room: 0, at } : { room: Math.max(0, Math.min(places, whole)) }
}

/**
 * Sends those that a limit holds and has room for, first ones first; each takes its place when it is claimed. Reads on,
 * so far as it may, while all of them lie with agents that do not take them. Answers their ids.
 */
export const wake = async (ports: Ports, tenant: string, limitId: string): Promise<string[]> => {
  const limit = await findLimit(ports, tenant, limitId)
  const { room, at } = await limitRoom(ports, tenant, limit)
  if (at !== undefined) await remindLimit(ports, tenant, limitId, at)
  if (room < 1) return []
  const { any, first } = await firstHeld(ports, { tenant, limit: limitId, room })
  for (const { id } of first) noteSent(ports, id)
  if (any) await remindLimit(ports, tenant, limitId, ports.clock.now() + onItsWayMs)
  for (const task of first) if (!(await sendTask(ports, task))) forgetSent(ports, task.id)
  return first.map(({ id }) => id)
}

const reminders = processMemory<number>()

/** Asks for a look at a limit at `at` at the latest, unless this process did already. */
export const remindLimit = async (ports: Ports, tenant: string, limit: string, at: number): Promise<void> => {
  const asked = reminders(ports.volatile)
  const id = `${tenant}#${limit}`
  const before = asked.get(id)
  if (before !== undefined && before > ports.clock.now() && before <= at) return
  asked.set(id, at)
  await remind(ports, { tenant, id: limit, at })
}
