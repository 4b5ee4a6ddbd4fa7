import type { ApprovalResponse } from '#shared/contracts/approvals.ts'
import type { OperationOf } from '#shared/contracts/operations.ts'
import type { Approval } from '#shared/domain/approvals/approval.ts'
import { getApproval } from '#shared/domain/approvals/approval-store.ts'
import { decideApproval } from '#shared/domain/approvals/decide-approval.ts'
import { delegateApproval } from '#shared/domain/approvals/delegate-approval.ts'
import { listApprovals } from '#shared/domain/approvals/list-approvals.ts'
import { iso } from '../../headers.ts'
import type { Handler } from '../../operation.ts'

const at = <T extends { at: number }>({ at: ms, ...rest }: T) => ({ ...rest, at: iso(ms) })

const toApproval = ({ tenant: _, stamp: __, dueAt: ___, step, ...approval }: Approval): ApprovalResponse => ({
  ...approval,
  ...(step && { step: { run: step.run, workflow: step.workflow, name: step.name } }),
  capability: approval.capability ?? null,
  requestedAt: iso(approval.requestedAt),
  escalateAt: approval.escalateAt === undefined ? undefined : iso(approval.escalateAt),
  expiresAt: iso(approval.expiresAt),
  decidedAt: approval.decidedAt === undefined ? undefined : iso(approval.decidedAt),
  decisions: approval.decisions.map(at),
  history: approval.history.map(at),
})

const list: Handler<OperationOf<'listApprovals'>> = async ({ platform }, { caller, query }) => {
  const page = await listApprovals(platform, caller.tenant, query)
  return { status: 200, body: { items: page.items.map(toApproval), nextCursor: page.cursor ?? null } }
}

const get: Handler<OperationOf<'getApproval'>> = async ({ platform }, { caller, params }) => ({
  status: 200,
  body: toApproval((await getApproval(platform, caller.tenant, params.approval ?? '')).value),
})

const approve: Handler<OperationOf<'approve'>> = async ({ platform }, { caller, params, body }) => ({
  status: 200,
  body: toApproval(await decideApproval(platform, caller, params.approval ?? '', { verdict: 'approve', ...body })),
})

const reject: Handler<OperationOf<'reject'>> = async ({ platform }, { caller, params, body }) => ({
  status: 200,
  body: toApproval(await decideApproval(platform, caller, params.approval ?? '', { verdict: 'reject', ...body })),
})

const delegate: Handler<OperationOf<'delegate'>> = async ({ platform }, { caller, params, body }) => ({
  status: 200,
  body: toApproval(await delegateApproval(platform, caller, params.approval ?? '', body)),
})

export const approvalHandlers = { listApprovals: list, getApproval: get, approve, reject, delegate }
