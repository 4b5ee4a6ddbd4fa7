import type { Stamp } from '../caller.ts'

export type InstanceState = 'ONLINE' | 'OFFLINE' | 'MAINTENANCE'
export type InstanceChange = { from?: InstanceState; to: InstanceState; reason: string; by: string; at: number }

/** One running copy of an agent's version. Its heartbeat is another, volatile, item. */
export type Instance = {
  id: string
  tenant: string
  agent: string
  agentName: string
  version: string
  slots: number
  labels: Record<string, string>
  state: InstanceState
  detail: string
  /** SHA-256 of the token's secret. */
  tokenHash: string
  tokenExpiresAt: number
  joinedAt: number
  /** Latest last; the oldest of more than `historyLimit` are dropped. */
  history: InstanceChange[]
  stamp: Stamp
}

/** How long an instance keeps its leases without a sign of life, and how often it should give one. */
export const leaseSeconds = 30
export const heartbeatSeconds = 10
export const tokenSeconds = 86_400

/** What the volatile item says: until when the instance's leases hold, and what it does. */
export type InstanceLease = {
  instance: string
  expiresAt: number
  running: number
  slots: number
  idleSince?: number
  /** Renewed by the platform after an outage of its own: it has given no sign of life since. */
  grace?: true
}

const historyLimit = 20

const allowedNext: Record<InstanceState, readonly InstanceState[]> = {
  ONLINE: ['MAINTENANCE', 'OFFLINE'],
  MAINTENANCE: ['ONLINE', 'OFFLINE'],
  OFFLINE: ['ONLINE'],
}

/** The same instance again where there is nothing to do. */
export const moveInstance = (
  instance: Instance,
  to: InstanceState,
  change: { detail: string; reason: string; by: string; at: number },
): Instance => {
  if (instance.state === to || !allowedNext[instance.state].includes(to)) return instance
  const entry = { from: instance.state, to, reason: change.reason, by: change.by, at: change.at }
  return { ...instance, state: to, detail: change.detail, history: [...instance.history, entry].slice(-historyLimit) }
}
