import type { Change, Platform } from '../../platform/platform.ts'
import type { Agent } from '../agents/agent.ts'
import { adoptOfAgent, adoptRunning } from './adopt-running.ts'
import { limitsThatHeld } from './held-limits.ts'
import { attendLimit } from './hold-task.ts'
import { agentLimitId, type Limit, type Limits } from './limit.ts'
import { forgetLimits, type LimitsRow } from './limits-store.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random' | 'queues' | 'telemetry'>

/** Which of the tenant, its agents and its keys have a bounded number of places; a key without a limit of its own has the usual one. */
const bounded = ({ tenant, defaultKey, agents = {}, keys = {} }: Limits, names: Names): Set<string> => {
  const rows: [string, Limit | undefined][] = [
    ['tenant', tenant],
    ['default', defaultKey],
    ...names.agents.map((name): [string, Limit | undefined] => [`agent ${name}`, agents[name]]),
    ...names.keys.map((name): [string, Limit | undefined] => [`key ${name}`, keys[name] ?? defaultKey]),
  ]
  return new Set(rows.flatMap(([name, limit]) => (limit?.concurrency === undefined ? [] : [name])))
}
type Names = { agents: string[]; keys: string[] }

/** Whether something has places now that were not counted before. */
export const boundsMore = (before: Limits, after: Limits): boolean => {
  const names = {
    agents: Object.keys({ ...before.agents, ...after.agents }),
    keys: Object.keys({ ...before.keys, ...after.keys }),
  }
  const had = bounded(before, names)
  return [...bounded(after, names)].some((name) => !had.has(name))
}

/** The limits were changed: what runs already counts in new ones, and whoever is held and has room now is woken. */
export const wakeForLimits = async (ports: Ports, { before, after }: Change<LimitsRow>): Promise<void> => {
  if (after === undefined) return
  const tenant = after.value.tenantId
  forgetLimits(ports.main)
  if (boundsMore(before?.value ?? {}, after.value)) await adoptRunning(ports, tenant)
  await Promise.all((await limitsThatHeld(ports, tenant)).map((limit) => attendLimit(ports, tenant, limit)))
}

/** An agent's own limit was changed. */
export const wakeForAgent = async (ports: Ports, { before, after }: Change<Agent>): Promise<void> => {
  if (after === undefined || before === undefined) return
  const [was, is] = [before, after].map(({ value }) => value.configuration.maxConcurrentTasks)
  if (was === is) return
  const { tenant, id } = after.value
  forgetLimits(ports.main)
  if (was === undefined) await adoptOfAgent(ports, tenant, id)
  await attendLimit(ports, tenant, agentLimitId(id))
}
