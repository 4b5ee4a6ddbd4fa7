import type { Change } from '../../platform/platform.ts'
import type { Approval, ApprovalState } from './approval.ts'

const words: Record<ApprovalState, string> = {
  PENDING: 'requested',
  ESCALATED: 'escalated',
  APPROVED: 'decided',
  REJECTED: 'decided',
  EXPIRED: 'expired',
  CANCELLED: 'cancelled',
}

/** What other systems are told of an approval: `undefined` when its state did not change. */
export const approvalEvent = (change: Change<Approval>) => {
  const approval = change.after?.value
  if (approval === undefined || approval.state === change.before?.value.state) return undefined
  const { id, tenant, task, agent, capability, state, approvers, quorum, prompt, expiresAt } = approval
  return {
    tenant,
    time: approval.history.at(-1)?.at ?? approval.requestedAt,
    type: `io.devcycle.approval.${words[state]}.v1`,
    subject: id,
    data: {
      id,
      task,
      agent,
      capability,
      state,
      approvers,
      quorum,
      prompt,
      expiresAt: new Date(expiresAt).toISOString(),
    },
  }
}
