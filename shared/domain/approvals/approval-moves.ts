import { type Refused, refuse } from '../domain-error.ts'
import { digest } from '../ids.ts'
import { type Approval, type ApprovalEntry, type ApprovalTerms, type Decision, isOpen } from './approval.ts'

/** A delegation more than this is a quarrel, not a process. */
const maxDelegations = 50

type Request = { id: string; prompt: unknown; terms: ApprovalTerms; now: number; expiresAt: number; by: string }

/** Who asks people. */
export type Asker = Pick<Approval, 'tenant' | 'task' | 'agent' | 'capability' | 'step'>

/** What people are asked for. */
export const requestApproval = (
  asker: Asker,
  { id, prompt, terms, now, expiresAt, by }: Request,
): Omit<Approval, 'stamp'> => {
  const { approvers = [], quorum = 1, onReject = 'fail', escalateAfterSeconds, escalateTo = [] } = terms
  const escalation = now + (escalateAfterSeconds ?? Number.POSITIVE_INFINITY) * 1000
  const escalateAt = escalation < expiresAt ? escalation : undefined
  return {
    ...asker,
    id,
    prompt,
    state: 'PENDING',
    approvers,
    quorum,
    onReject,
    requestedAt: now,
    escalateAt,
    escalateTo,
    expiresAt,
    decisions: [],
    history: [{ what: 'requested', by, at: now }],
    dueAt: escalateAt ?? expiresAt,
  }
}

const noted = (approval: Approval, entry: ApprovalEntry): Approval => ({
  ...approval,
  history: [...approval.history, entry],
})

/** One that has expired takes nothing more, although nobody has closed it yet. */
const takesMore = (approval: Approval, now: number): boolean => isOpen(approval) && approval.expiresAt > now

const refuseClosed = ({ id, state, expiresAt }: Approval, now: number): Refused => {
  const is =
    isOpen({ state }) && expiresAt <= now ? `has expired at ${new Date(expiresAt).toISOString()}` : `is ${state}`
  return refuse('ALREADY_DECIDED', `approval ${id} ${is} and takes no more decisions`)
}

const isQuorum = ({ decisions, quorum }: Approval): boolean =>
  decisions.filter(({ verdict }) => verdict === 'approve').length >= quorum

const said = ({ comment, response }: Decision): string => digest({ comment, response })

const refuseOther = ({ id }: Approval, { by, verdict }: Decision): Refused => {
  const what = verdict === 'approve' ? 'approved' : 'rejected'
  return refuse('ALREADY_DECIDED', `${by} has ${what} approval ${id} already, with another comment or response`)
}

/**
 * Counts a decision; the same one of the same principal again changes nothing, and says the same. Until it is closed who
 * has approved may reject all the same. One rejection closes it.
 */
export const decideApproval = (approval: Approval, decision: Decision): Approval | Refused => {
  const before = approval.decisions.find(({ by }) => by === decision.by)
  if (before?.verdict === decision.verdict)
    return said(before) === said(decision) ? approval : refuseOther(approval, decision)
  if (!takesMore(approval, decision.at)) return refuseClosed(approval, decision.at)
  const { by, at, comment, verdict } = decision
  const what = verdict === 'approve' ? 'approved' : 'rejected'
  const decisions = [...approval.decisions.filter((one) => one !== before), decision]
  const next = noted({ ...approval, decisions }, { what, by, at, ...(comment !== undefined && { comment }) })
  if (verdict === 'reject') return { ...next, state: 'REJECTED', decidedAt: at, dueAt: undefined }
  return isQuorum(next) ? { ...next, state: 'APPROVED', decidedAt: at, dueAt: undefined } : next
}

export type Delegation = { to: string; from?: string; comment?: string; by: string; at: number }

/** Whether the last delegation was this one, and has the place that it was given. */
const isRepeated = ({ approvers, history }: Approval, { to, from, by }: Delegation): boolean => {
  const last = history.findLast(({ what }) => what === 'delegated')
  const isDone = from === undefined ? approvers.length === 1 : !approvers.includes(from)
  return last?.by === by && last.to?.[0] === to && approvers.includes(to) && isDone
}

/** Puts somebody in the place of an approver; of all of them unless `from` says whose. The same again changes nothing. */
export const delegateApproval = (approval: Approval, delegation: Delegation): Approval | Refused => {
  const { to, from, comment, by, at } = delegation
  if (!takesMore(approval, at)) return refuseClosed(approval, at)
  if (isRepeated(approval, delegation)) return approval
  const { approvers, history, id } = approval
  if (from !== undefined && !approvers.includes(from))
    return refuse('CONFLICT', `${from} is no approver of ${id}; they are ${approvers.join(', ') || 'not named'}`)
  if (history.filter(({ what }) => what === 'delegated').length >= maxDelegations)
    return refuse('CONFLICT', `approval ${id} was delegated ${maxDelegations} times; decide it`)
  const left = from === undefined ? [] : approvers.filter((one) => one !== from && one !== to)
  const entry = { what: 'delegated' as const, by, at, to: [to], ...(comment !== undefined && { comment }) }
  return noted({ ...approval, approvers: [...left, to] }, entry)
}

/** `PENDING → ESCALATED`: those whom it escalates to are approvers too. */
export const escalateApproval = (approval: Approval, now: number): Approval => {
  const { approvers, escalateTo, expiresAt } = approval
  const all = [...new Set([...approvers, ...escalateTo])]
  const entry = { what: 'escalated' as const, by: 'system', at: now, to: escalateTo }
  return noted({ ...approval, state: 'ESCALATED', approvers: all, dueAt: expiresAt }, entry)
}

/** Closes what its task does not wait for any more. */
export const closeApproval = (
  approval: Approval,
  { state, at, comment }: { state: 'EXPIRED' | 'CANCELLED'; at: number; comment: string },
): Approval => {
  if (!isOpen(approval)) return approval
  const what = state === 'EXPIRED' ? 'expired' : 'cancelled'
  return noted({ ...approval, state, dueAt: undefined }, { what, by: 'system', at, comment })
}
