import type { Agent } from '../agents/agent.ts'
import type { Reserved } from '../budgets/reserved-seconds.ts'
import type { HoldingLimit } from '../limits/holding-limit.ts'
import type { Task } from '../tasks/task.ts'

export const whyCodes = [
  'SUCCEEDED',
  'CANCELLED',
  'AGENT_ERROR',
  'RESOURCE_LIMIT',
  'TIMEOUT',
  'DEADLINE',
  'LEASE_LOST',
  'POISON',
  'BUDGET',
  'REJECTED',
  'NO_CAPABLE_AGENT',
  'RUNNING',
  'WAITING_FOR_INPUT',
  'WAITING_FOR_APPROVAL',
  'START_TIME',
  'BACK_OFF',
  'AGENT_DECOMMISSIONED',
  'AGENT_ERROR_STATE',
  'PAUSED',
  'MAINTENANCE',
  'LIMIT',
  'RATE',
  'VERSION_DRAINING',
  'COLD_START',
  'NO_INSTANCE',
  'AFFINITY',
  'ALL_SLOTS_BUSY',
  'DISPATCHING',
] as const
export type WhyCode = (typeof whyCodes)[number]

/** The one cause that keeps a task from running or that ended it. Times in evidence are ISO 8601. */
export type Why = { code: WhyCode; message: string; evidence: Record<string, unknown>; wouldChange: string }

/** One live copy of the task's version, as of its last sign of life. */
export type LiveInstance = {
  id: string
  slots: number
  running: number
  draining: boolean
  labels: Record<string, string>
}

/** Everything that a cause may lie in. Times in milliseconds. */
export type Situation = {
  task: Task
  now: number
  agent?: Agent
  live: LiveInstance[]
  /** Copies that the host is starting. */
  starting: number
  /** Until when the holder of a running task keeps its lease; 0 when it is gone. */
  leaseUntil?: number
  /** The limit that holds the task, or would. */
  limit?: HoldingLimit
  /** Whose budget has no seconds left for it but those that others have reserved, and some of these. */
  reserved?: Reserved
  /** The instance that runs tasks of its affinity key. */
  pin?: string
  /** The approval that it waits for. */
  approval?: { id: string; approvers: string[]; quorum: number; approvedBy: string[]; state: string }
  /** Tasks that are handed out before it, and how long one takes of late. */
  queue?: { ahead: number; taskMs?: number }
}

/** Answers when the cause lies in what it looks at. */
export type Cause = (situation: Situation) => Why | undefined

export const iso = (ms: number): string => new Date(ms).toISOString()
