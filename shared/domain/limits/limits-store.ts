import type { Item, Key, Platform, Stored, Table } from '../../platform/platform.ts'
import type { Agent } from '../agents/agent.ts'
import { agentKey } from '../agents/agent-store.ts'
import type { Stamp } from '../caller.ts'
import { DomainError } from '../domain-error.ts'
import { newRev } from '../ids.ts'
import { processMemory } from '../process-memory.ts'
import type { Task } from '../tasks/task.ts'
import { type AgentLimit, type Limits, limitById, limitsOf, type NamedLimit, subjectOf } from './limit.ts'

type Ports = Pick<Platform, 'main' | 'clock'>

export const limitsKey = (tenant: string): Key => ({ pk: `${tenant}#limits`, sk: 'head' })

export type LimitsRow = Limits & { tenantId: string; stamp: Stamp }

export const findLimits = ({ main }: Pick<Platform, 'main'>, tenant: string): Promise<Stored<LimitsRow> | undefined> =>
  main.get<LimitsRow>(limitsKey(tenant))

/** Saves the limits if nobody else did since they were read. */
export const saveLimits = async (
  ports: Pick<Platform, 'main' | 'clock' | 'random'>,
  before: Stored<LimitsRow> | undefined,
  row: LimitsRow,
): Promise<Stored<LimitsRow>> => {
  const item: Item<LimitsRow> = { ...limitsKey(row.tenantId), type: 'limits', value: row }
  const rev = newRev(ports)
  const expect = before === undefined ? 'absent' : { rev: before.rev }
  const outcome = await ports.main.write({ op: 'put', item, expect, rev })
  if (!outcome.ok) throw new DomainError('PRECONDITION_FAILED', 'the limits were changed meanwhile; read them again')
  forgetLimits(ports.main)
  return { ...item, rev }
}

/** What of the records bounds the tasks of one agent. */
export type Known = { limits: Limits; agent?: AgentLimit; resourceClass?: string }
type Cached = { until: number; known: Promise<Known> }

/** A change takes effect everywhere after this time, where it was made at once. */
const maxAgeMs = 500
const caches = processMemory<Cached>(1000)

/** What was changed is read again. */
export const forgetLimits = (main: Table): void => caches(main).clear()

/** The limits, and what the agent says of itself: read together, and at most so often. */
export const knownLimits = (ports: Ports, tenant: string, agent: string | undefined): Promise<Known> => {
  const cache = caches(ports.main)
  const id = `${tenant}#${agent ?? ''}`
  const now = ports.clock.now()
  const cached = cache.get(id)
  if (cached !== undefined && cached.until > now && cached.until <= now + maxAgeMs) return cached.known
  const known = readKnown(ports, tenant, agent)
  cache.set(id, { until: now + maxAgeMs, known })
  known.catch(() => cache.delete(id))
  return known
}

const readKnown = async ({ main }: Ports, tenant: string, agent: string | undefined): Promise<Known> => {
  const keys = [limitsKey(tenant), ...(agent === undefined ? [] : [agentKey(tenant, agent)])]
  const [row, found] = await main.getMany(keys)
  const limits = (row?.value as LimitsRow | undefined) ?? {}
  const of = found?.value as (Agent & { resourceClass?: string }) | undefined
  if (of === undefined) return { limits }
  const { maxConcurrentTasks } = of.configuration
  return { limits, agent: { name: of.name, maxConcurrentTasks }, resourceClass: of.resourceClass }
}

/** The limits that a task counts in. */
export const limitsOfTask = async (ports: Ports, task: Task): Promise<NamedLimit[]> => {
  const { limits, agent } = await knownLimits(ports, task.tenant, task.target?.agent)
  return limitsOf(limits, agent, task)
}

/** A limit by its id; `undefined`: nothing is bounded by it any more. */
export const findLimit = async (ports: Ports, tenant: string, id: string): Promise<NamedLimit | undefined> => {
  const { agent } = subjectOf(id)
  const known = await knownLimits(ports, tenant, agent)
  return limitById(known.limits, known.agent, id)
}
