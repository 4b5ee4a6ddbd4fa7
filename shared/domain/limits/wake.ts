import type { Platform } from '../../platform/platform.ts'
import { remind } from '../dispatch/due.ts'
import { sendTask } from '../dispatch/send-task.ts'
import { processMemory } from '../process-memory.ts'
import { limitHolderPk } from '../tasks/holders.ts'
import type { Task } from '../tasks/task.ts'
import type { NamedLimit } from './limit.ts'
import { findLimit } from './limits-store.ts'
import { placesTaken } from './places.ts'
import { tokensOf } from './tokens.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random' | 'queues' | 'telemetry'>

/** How many more tasks a limit lets start now, and when it will be more for sure (ms). */
export const roomOf = async (
  ports: Ports,
  tenant: string,
  limit: NamedLimit | undefined,
  taken?: number,
): Promise<{ room: number; at?: number }> => {
  const { id = '', concurrency, rate } = limit ?? {}
  const places =
    concurrency === undefined
      ? Number.POSITIVE_INFINITY
      : concurrency - (taken ?? (await placesTaken(ports, tenant, id)))
  if (rate === undefined || places < 1) return { room: Math.max(0, places) }
  const { left, at } = await tokensOf(ports, { tenant, limit: id, rate })
  const whole = Math.floor(left + 0.001)
  return whole < 1 ? { room: 0, at } : { room: Math.max(0, Math.min(places, whole)) }
}

/** So many held tasks are looked at in one go. */
const pageSize = 200

/** Tasks that a limit holds, in the order in which it lets them go. */
const heldBy = async ({ main }: Ports, tenant: string, limit: string): Promise<{ held: Task[]; more: boolean }> => {
  const page = await main.query<Task>({ index: 'holder', pk: limitHolderPk(tenant, limit), limit: pageSize })
  const held = page.items.map(({ value }) => value)
  return {
    held: held.filter((task) => task.status === 'QUEUED' && task.heldBy === limit),
    more: page.cursor !== undefined,
  }
}

/** When this process sent what is held: it is on its way, then it lies with an agent that does not take it. */
const sends = processMemory<number>()
const onItsWayMs = 2000
const lyingMs = 60_000

/** The first of each agent, as far as there is room beside what is on its way: a busy agent keeps no other back. */
const firstOfEach = (held: Task[], room: number, sentMsAgo: (task: Task) => number): Task[] => {
  const first = new Set<Task>()
  for (const tasks of Map.groupBy(held, ({ target }) => `${target?.agent} ${target?.version}`).values()) {
    const onTheirWay = tasks.filter((task) => sentMsAgo(task) < onItsWayMs).length
    const waiting = tasks.filter((task) => sentMsAgo(task) >= lyingMs)
    for (const task of waiting.slice(0, Math.max(0, room - onTheirWay))) first.add(task)
  }
  return held.filter((task) => first.has(task))
}

/** Sends those that a limit holds and has room for, first ones first; each takes its place when it is claimed. Answers their ids. */
export const wake = async (ports: Ports, tenant: string, limitId: string, taken?: number): Promise<string[]> => {
  const limit = await findLimit(ports, tenant, limitId)
  const { room, at } = await roomOf(ports, tenant, limit, taken)
  if (at !== undefined) await remindLimit(ports, tenant, limitId, at)
  if (room < 1) return []
  const { held, more } = await heldBy(ports, tenant, limitId)
  const now = ports.clock.now()
  const sent = sends(ports.volatile)
  const first = firstOfEach(held, room, ({ id }) => now - (sent.get(id) ?? Number.NEGATIVE_INFINITY))
  for (const { id } of first) sent.set(id, now)
  if (held.length > 0 || more) await remindLimit(ports, tenant, limitId, now + onItsWayMs)
  for (const task of first) if (!(await sendTask(ports, task))) sent.delete(task.id)
  return first.map(({ id }) => id)
}

/** What was held is held again: it may be sent again. */
export const forgetSent = ({ volatile }: Pick<Platform, 'volatile'>, id: string): void => {
  sends(volatile).delete(id)
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
