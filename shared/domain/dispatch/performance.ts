import type { Item, Key, Platform } from '../../platform/platform.ts'
import { processMemory } from '../process-memory.ts'
import type { Task } from '../tasks/task.ts'
import type { Performance } from './route.ts'

/** What is remembered of an agent's attempts; to lose it is harmless. */
export type Recorded = Performance & { at: number }
/** One attempt that has ended by what the agent did. */
export type Ended = { tenant: string; agent: string; succeeded: boolean; ms: number; at: number }

/** How much one attempt counts. */
const weight = 0.1
/** What was seen long ago counts less: after so long half as much. */
const halfLifeMs = 10 * 60_000
const keepMs = 24 * 3_600_000
/** A process tells the others at most so often. */
const writeEveryMs = 1000

/** With one more attempt. */
export const addAttempt = (before: Recorded | undefined, { succeeded, ms, at }: Ended): Recorded => {
  const { success, latencyMs } = before ? fade(before, at) : { success: 1, latencyMs: 0 }
  const latency = latencyMs === 0 ? ms : latencyMs + weight * (ms - latencyMs)
  return {
    success: success + weight * ((succeeded ? 1 : 0) - success),
    latencyMs: succeeded ? Math.round(latency) : latencyMs,
    at,
  }
}

/** What a record is worth now: its failures are forgotten with time, so that whoever failed is tried again. */
export const fade = ({ success, latencyMs, at }: Recorded, now: number): Performance => ({
  success: 1 - (1 - success) * 0.5 ** (Math.max(0, now - at) / halfLifeMs),
  latencyMs,
})

/** Ends that say nothing about an agent. */
const neutral = ['RELEASED', 'LEASE_LOST', 'CANCELLED', 'WAITING', 'BUDGET']

/** The attempt that a change of state ended, if it says something about the agent. */
export const endedAttempt = (
  before: Task | undefined,
  { tenant, target, status, transition }: Task,
): Ended | undefined => {
  const lease = before?.lease
  if (lease === undefined || target === undefined || status === 'RUNNING' || status === 'CANCELLED') return undefined
  if (neutral.includes(transition.reason ?? '')) return undefined
  const { at } = transition
  return { tenant, agent: target.agent, succeeded: status === 'SUCCEEDED', ms: Math.max(0, at - lease.since), at }
}

const keyOf = (tenant: string, agent: string): Key => ({ pk: `${tenant}#performance#${agent}`, sk: 'record' })

type Known = { record: Recorded; writtenAt: number }
const memories = processMemory<Known>()

type Ports = Pick<Platform, 'volatile' | 'clock'>

/** Takes ended attempts into account. Whatever is counted twice or lost with a process changes little. */
export const noteAttempts = async (ports: Ports, attempts: Ended[]): Promise<void> => {
  for (const group of Map.groupBy(attempts, ({ tenant, agent }) => `${tenant}#${agent}`).values())
    if (group[0]) await note(ports, group[0], group)
}

const note = async (ports: Ports, { tenant, agent }: Ended, attempts: Ended[]): Promise<void> => {
  const memory = memories(ports.volatile)
  const id = `${tenant}#${agent}`
  const known = memory.get(id) ?? { record: await stored(ports, tenant, agent), writtenAt: 0 }
  const record = attempts.reduce<Recorded | undefined>(addAttempt, known.record)
  if (record === undefined) return
  const now = ports.clock.now()
  const write = now - known.writtenAt >= writeEveryMs || now < known.writtenAt
  memory.set(id, { record, writtenAt: write ? now : known.writtenAt })
  if (!write) return
  const item: Item<Recorded> = { ...keyOf(tenant, agent), type: 'performance', value: record, expiresAt: now + keepMs }
  await ports.volatile.write({ op: 'put', item, expect: 'any' })
}

const stored = async ({ volatile }: Ports, tenant: string, agent: string): Promise<Recorded | undefined> =>
  (await volatile.get<Recorded>(keyOf(tenant, agent)))?.value

/** What is known of agents, as it is worth now; in their order. */
export const performanceOf = async (
  { volatile, clock }: Ports,
  tenant: string,
  agents: string[],
): Promise<(Performance | undefined)[]> => {
  const found = await volatile.getMany<Recorded>(agents.map((agent) => keyOf(tenant, agent)))
  const memory = memories(volatile)
  return agents.map((agent, at) => {
    const record = memory.get(`${tenant}#${agent}`)?.record ?? found[at]?.value
    return record && fade(record, clock.now())
  })
}
