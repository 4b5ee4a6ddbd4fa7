import type { Platform } from '../../platform/platform.ts'
import type { Agent } from '../agents/agent.ts'
import { agentListPk, findAgent } from '../agents/agent-store.ts'
import { countHeldBy, limitsThatHeld } from './held-limits.ts'
import { type Limit, type Limits, limitsOf, type NamedLimit, type Rate, subjectOf, submitLimitId } from './limit.ts'
import { placesTaken } from './places.ts'
import { tokensOf } from './tokens.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock'>

/** A limit and what is used of it now. */
export type LimitInUse = Limit & { use: { running: number; held: number; tokens?: number } }
export type DescribedLimits = {
  tenant?: LimitInUse
  agents: Record<string, LimitInUse>
  keys: Record<string, LimitInUse>
  defaultKey?: Limit
  submitRate?: { count: number; seconds: number; tokens: number }
  prices: Record<string, number>
}

/** Agents beyond these are only shown when the limits name them. */
const mostAgents = 200
/** By a clock that lags behind the taker's it may look like less than none. */
const hundredths = (tokens: number): number => Math.max(0, Math.round(tokens * 100) / 100)

/** What is set for a tenant, also by its agents, with what is used of it. */
export const describeLimits = async (ports: Ports, tenant: string, limits: Limits): Promise<DescribedLimits> => {
  const [agents, keys, ofTenant, submitRate] = await Promise.all([
    describeAll(ports, tenant, await agentsOf(ports, tenant, limits)),
    describeAll(ports, tenant, await keysOf(ports, tenant, limits)),
    describeAll(ports, tenant, named(limitsOf({ tenant: limits.tenant }, undefined, { fairnessKey: '' }))),
    describeSubmitRate(ports, tenant, limits),
  ])
  const { defaultKey, prices = {} } = limits
  return {
    tenant: Object.values(ofTenant)[0],
    agents,
    keys,
    defaultKey: defaultKey && shown(defaultKey),
    submitRate,
    prices,
  }
}

const named = (limits: NamedLimit[]): [string, NamedLimit][] => limits.map((limit) => [limit.id, limit])

const describeAll = async (
  ports: Ports,
  tenant: string,
  rows: [string, NamedLimit][],
): Promise<Record<string, LimitInUse>> =>
  Object.fromEntries(await Promise.all(rows.map(async ([name, limit]) => [name, await inUse(ports, tenant, limit)])))

const inUse = async (ports: Ports, tenant: string, { id, concurrency, rate }: NamedLimit): Promise<LimitInUse> => {
  const [running, held, tokens] = await Promise.all([
    placesTaken(ports, tenant, id),
    countHeldBy(ports, tenant, id),
    rate && tokensOf(ports, { tenant, limit: id, rate }),
  ])
  const use = { running, held, ...(tokens && { tokens: hundredths(tokens.left) }) }
  return { ...shown({ concurrency, rate }), use }
}

/** As it was set. */
const shown = ({ concurrency, rate }: Limit): Limit => ({
  ...(concurrency !== undefined && { concurrency }),
  ...(rate && { rate: shownRate(rate) }),
})

const shownRate = ({ count, seconds }: Rate): Rate => ({ count, seconds })

/** Agents with a limit in the record of limits or in their own configuration. */
const agentsOf = async (ports: Ports, tenant: string, limits: Limits): Promise<[string, NamedLimit][]> => {
  const page = await ports.main.query<Agent>({ index: 'list', pk: agentListPk(tenant), limit: mostAgents })
  const known = new Map(page.items.map(({ value }) => [value.name, value]))
  const rows = Object.keys(limits.agents ?? {}).filter((name) => !known.has(name))
  for (const name of rows) {
    const found = (await findAgent(ports, tenant, name))?.value
    if (found) known.set(name, found)
  }
  const ofKnown = [...known.values()].flatMap((agent) => {
    const own = { name: agent.name, maxConcurrentTasks: agent.configuration.maxConcurrentTasks }
    return boundsOf(limits, agent.id, own)
  })
  const unknown = rows.filter((name) => !known.has(name)).flatMap((name) => boundsOf(limits, name, { name }))
  return [...ofKnown, ...unknown]
}

const boundsOf = (
  { agents }: Limits,
  id: string,
  agent: { name: string; maxConcurrentTasks?: number },
): [string, NamedLimit][] => {
  const target = { agent: id, agentName: agent.name, version: '' }
  return limitsOf({ agents }, agent, { target, fairnessKey: '' }).map((limit) => [agent.name, limit])
}

/** Keys with a limit of their own, and those whose tasks the default holds. */
const keysOf = async (ports: Ports, tenant: string, limits: Limits): Promise<[string, NamedLimit][]> => {
  const { keys, defaultKey } = limits
  const holding = defaultKey ? (await limitsThatHeld(ports, tenant)).map((id) => subjectOf(id).key) : []
  const all = new Set([...Object.keys(keys ?? {}), ...holding.filter((key) => key !== undefined)])
  return [...all].flatMap((key) =>
    limitsOf({ keys, defaultKey }, undefined, { fairnessKey: key }).map((limit): [string, NamedLimit] => [key, limit]),
  )
}

const describeSubmitRate = async (ports: Ports, tenant: string, { submitRate: rate }: Limits) =>
  rate && {
    ...shownRate(rate),
    tokens: hundredths((await tokensOf(ports, { tenant, limit: submitLimitId, rate })).left),
  }
