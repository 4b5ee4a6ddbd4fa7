import type { Stamp } from '../caller.ts'
import type { RetryPolicy } from '../tasks/retry-policy.ts'
import type { Priority } from '../tasks/task.ts'

export type Capability = {
  name: string
  description?: string
  inputSchema?: Record<string, unknown>
  outputSchema?: Record<string, unknown>
}

/** A type of message that the agent has a handler for: each such message becomes a task of it. */
export type HandledMessage = { type: string; dataSchema?: Record<string, unknown> }

export type AgentConfiguration = {
  maxConcurrentTasks?: number
  timeoutSeconds?: number
  retry?: Partial<RetryPolicy>
  priority?: Priority
  /** Slots of each instance that only `urgent` and `high` tasks take. */
  reservedSlots?: number
  /** Fairness inside a lane is between the values of this label. */
  fairnessLabel?: string
  settings?: Record<string, unknown>
}

/** What a person decided or a rollout did; BUSY and IDLE are computed when read. */
export type DecidedState = 'REGISTERED' | 'DEPLOYING' | 'ONLINE' | 'OFFLINE' | 'ERROR' | 'MAINTENANCE'
export type AgentState = DecidedState | 'BUSY' | 'IDLE'

/** Each state's default detail. */
export const stateDetails: Record<AgentState, string> = {
  REGISTERED: 'PENDING',
  DEPLOYING: 'STARTING',
  ONLINE: 'READY',
  BUSY: 'WORKING',
  IDLE: 'WAITING',
  OFFLINE: 'STOPPED',
  ERROR: 'FAILED',
  MAINTENANCE: 'UPDATING',
}

export type AgentChange = {
  from: DecidedState
  to: DecidedState
  detail: string
  reason: string
  by: string
  at: number
}

export type Agent = {
  id: string
  tenant: string
  name: string
  type: string
  description?: string
  /** The version that new tasks go to. */
  version: string
  /** The class of resources that its instances have. */
  resourceClass?: string
  state: DecidedState
  detail: string
  capabilities: Capability[]
  messages?: HandledMessage[]
  configuration: AgentConfiguration
  labels: Record<string, string>
  /** Digest of the registration, to tell a repeated one from another one. */
  registered: string
  decommissionedAt?: number
  /** Of one that is decommissioned: when somebody looks after the mail that it leaves. */
  dueAt?: number
  /** Copies that its host keeps, where a person has said how many. */
  wanted?: number
  /** Latest last. */
  history?: AgentChange[]
  createdAt: number
  updatedAt: number
  stamp: Stamp
}

/** Immutable. */
export type AgentVersion = {
  agent: string
  version: string
  capabilities: Capability[]
  createdAt: number
  stamp: Stamp
}

/** One running copy's share of what an agent does now. */
export type Load = { slots: number; running: number; idleSince?: number }

/** After so long without work an agent counts as idle. */
const idleAfterMs = 60_000

/** The state that a reader is shown, from the decided one and the live instances. */
export const shownState = (agent: Agent, live: Load[], now: number): { state: AgentState; detail: string } => {
  if (agent.state !== 'ONLINE') return { state: agent.state, detail: agent.detail }
  const state = onlineState(live, now)
  return { state, detail: stateDetails[state] }
}

const onlineState = (live: Load[], now: number): AgentState => {
  if (live.length === 0) return 'OFFLINE'
  if (live.some(({ running }) => running > 0)) return 'BUSY'
  return live.every(({ idleSince }) => idleSince !== undefined && now - idleSince > idleAfterMs) ? 'IDLE' : 'ONLINE'
}

/** Whether new tasks may be routed to the agent: it need not be running. */
export const takesWork = ({ state, decommissionedAt }: Agent): boolean =>
  decommissionedAt === undefined && state !== 'ERROR'

export const offers = (agent: Agent, capability: string): boolean =>
  agent.capabilities.some(({ name }) => name === capability) ||
  (agent.messages ?? []).some(({ type }) => messageCapability(type) === capability)

/** The capability of the tasks that messages of a type become: no other has a colon in its name. */
export const messageCapability = (type: string): string => `message:${type}`
