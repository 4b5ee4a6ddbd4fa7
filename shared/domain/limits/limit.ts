import type { Task } from '../tasks/task.ts'

/**
 * `count` starts in `seconds`; as many at once as `count` when nothing started for so long. `since` (ms) is when it was
 * set: what started before counts in none of its tokens.
 */
export type Rate = { count: number; seconds: number; since?: number }

/** How many may run at once, and how many may start; absent: any number. */
export type Limit = { concurrency?: number; rate?: Rate }

/** What a tenant has set. */
export type Limits = {
  tenant?: Limit
  /** By the name of the agent. */
  agents?: Record<string, Limit>
  /** By fairness key. */
  keys?: Record<string, Limit>
  /** Of each fairness key that has none of its own. */
  defaultKey?: Limit
  /** How many tasks clients may submit. */
  submitRate?: Rate
  /** US dollars for an hour of an attempt, by resource class; `default` for the others. */
  prices?: Record<string, number>
}

/** A limit that bounds something: `id` names its counters and what it holds, `name` is for people. */
export type NamedLimit = Limit & { id: string; name: string }

/** What an agent's own record says of it. */
export type AgentLimit = { name: string; maxConcurrentTasks?: number }

const prefix = 'lim'
export const tenantLimitId = `${prefix}.tenant`
export const submitLimitId = `${prefix}.submit`
export const agentLimitId = (agent: string): string => `${prefix}.agent.${agent}`
export const keyLimitId = (key: string): string => `${prefix}.key.${encodeURIComponent(key)}`

/** The agent or the fairness key in the id of a limit. */
export const subjectOf = (id: string): { agent?: string; key?: string } => {
  const [, kind, ...rest] = id.split('.')
  const subject = rest.join('.')
  if (kind === 'agent') return { agent: subject }
  return kind === 'key' ? { key: decodeURIComponent(subject) } : {}
}

const bounds = ({ concurrency, rate }: Limit): boolean => concurrency !== undefined || rate !== undefined

const named = (id: string, name: string, limit: Limit | undefined): NamedLimit[] =>
  limit !== undefined && bounds(limit) ? [{ ...limit, id, name }] : []

const least = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b)

const ofAgent = (limits: Limits, agent: string, { name, maxConcurrentTasks }: AgentLimit): NamedLimit[] => {
  const set = Object.hasOwn(limits.agents ?? {}, name) ? limits.agents?.[name] : undefined
  const concurrency = least(set?.concurrency, maxConcurrentTasks)
  return named(agentLimitId(agent), `agent ${name}`, { ...set, concurrency })
}

const ofKey = (limits: Limits, key: string): NamedLimit[] => {
  const own = Object.hasOwn(limits.keys ?? {}, key) ? limits.keys?.[key] : undefined
  return named(keyLimitId(key), `key ${key}`, own ?? limits.defaultKey)
}

/** Every limit that a task counts in, in the one order in which places are taken. */
export const limitsOf = (
  limits: Limits,
  agent: AgentLimit | undefined,
  { target, fairnessKey }: Pick<Task, 'target' | 'fairnessKey'>,
): NamedLimit[] => [
  ...named(tenantLimitId, 'the tenant', limits.tenant),
  ...(agent && target ? ofAgent(limits, target.agent, agent) : []),
  ...ofKey(limits, fairnessKey),
]

/** The limit with this id, if it still bounds anything. */
export const limitById = (limits: Limits, agent: AgentLimit | undefined, id: string): NamedLimit | undefined => {
  const { agent: ofWhom, key } = subjectOf(id)
  if (key !== undefined) return ofKey(limits, key)[0]
  if (ofWhom !== undefined) return agent && ofAgent(limits, ofWhom, agent)[0]
  return id === tenantLimitId ? named(id, 'the tenant', limits.tenant)[0] : undefined
}

/** For people: `5 at once, 10 in 60 s`. */
export const describeLimit = ({ concurrency, rate }: Limit): string =>
  [
    ...(concurrency === undefined ? [] : [`${concurrency} at once`]),
    ...(rate === undefined ? [] : [`${rate.count} in ${rate.seconds} s`]),
  ].join(', ')
