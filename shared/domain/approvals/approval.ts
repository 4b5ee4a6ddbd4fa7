import type { Stamp } from '../caller.ts'

export const approvalStates = ['PENDING', 'ESCALATED', 'APPROVED', 'REJECTED', 'EXPIRED', 'CANCELLED'] as const
export type ApprovalState = (typeof approvalStates)[number]

/** What the waiting task asked for, besides its prompt. */
export type ApprovalTerms = {
  /** Names of people, and of groups as `group:NAME`: shown to whoever looks, not checked. */
  approvers?: string[]
  /** So many different principals have to approve. @default 1 */
  quorum?: number
  escalateAfterSeconds?: number
  /** Who becomes an approver at the escalation. */
  escalateTo?: string[]
  /** What a rejection does: it fails the task with `REJECTED`, or the task goes on and is told. @default 'fail' */
  onReject?: 'fail' | 'resume'
}

export type Verdict = 'approve' | 'reject'
export type Decision = { by: string; verdict: Verdict; at: number; comment?: string; response?: unknown }

export type ApprovalEntry = {
  what: 'requested' | 'approved' | 'rejected' | 'delegated' | 'escalated' | 'expired' | 'cancelled'
  by: string
  at: number
  comment?: string
  to?: string[]
}

/** The step of a run that waits for people; `id` is this time that it runs. */
export type AskingStep = { run: string; workflow: string; name: string; id: string }

/** A question to people of a task that waits, or of the step of a run, and their decisions. Times are milliseconds. */
export type Approval = {
  id: string
  tenant: string
  task?: string
  agent?: string
  capability?: string
  step?: AskingStep
  prompt: unknown
  state: ApprovalState
  approvers: string[]
  quorum: number
  onReject: 'fail' | 'resume'
  requestedAt: number
  escalateAt?: number
  escalateTo: string[]
  expiresAt: number
  /** One of each principal at most. */
  decisions: Decision[]
  history: ApprovalEntry[]
  decidedAt?: number
  /** When the sweep must look again; absent once it is closed. */
  dueAt?: number
  stamp: Stamp
}

export const isOpen = ({ state }: Pick<Approval, 'state'>): boolean => state === 'PENDING' || state === 'ESCALATED'
