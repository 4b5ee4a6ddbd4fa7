import type { Change } from '../../platform/platform.ts'
import { fullType, type PublicEventType } from '../webhooks/event-types.ts'
import type { Approval, ApprovalState } from './approval.ts'

const types: Record<ApprovalState, PublicEventType> = {
  PENDING: 'approval.requested',
  ESCALATED: 'approval.escalated',
  APPROVED: 'approval.decided',
  REJECTED: 'approval.decided',
  EXPIRED: 'approval.expired',
  CANCELLED: 'approval.cancelled',
}

/** What other systems are told of an approval: `undefined` when its state did not change. */
export const approvalEvent = (change: Change<Approval>) => {
  const approval = change.after?.value
  if (approval === undefined || approval.state === change.before?.value.state) return undefined
  const { id, tenant, task, agent, capability, step, state, approvers, quorum, prompt, expiresAt } = approval
  return {
    tenant,
    time: approval.history.at(-1)?.at ?? approval.requestedAt,
    type: fullType(types[state]),
    subject: id,
    data: {
      id,
      task,
      agent,
      capability,
      ...(step && { run: step.run, workflow: step.workflow, step: step.name }),
      state,
      approvers,
      quorum,
      prompt,
      expiresAt: new Date(expiresAt).toISOString(),
    },
  }
}
