import type { Approval, ApprovalTerms } from '../../approvals/approval.ts'
import { requestApproval } from '../../approvals/approval-moves.ts'
import { approvalItem, findApproval } from '../../approvals/approval-store.ts'
import { responseOf } from '../../approvals/decide-approval.ts'
import { actorOf, stamp } from '../../caller.ts'
import { remind } from '../../dispatch/due.ts'
import { idFromKey, newRev } from '../../ids.ts'
import { callerOfRun, type Run } from '../run.ts'
import { endStep } from './end-step.ts'
import type { Asked, Begun, StepPorts } from './step-command.ts'
import { textOf } from './text-of.ts'

const namesOf = (names: unknown, pointer: string): string[] =>
  (Array.isArray(names) ? names : []).map((name, at) => textOf(name, `${pointer}/${at}`))

const termsOf = ({
  people,
  groups,
  quorum,
  escalateAfterSeconds,
  escalateTo,
  onReject,
}: Asked['step']): ApprovalTerms => ({
  approvers: [...namesOf(people, '#/people'), ...namesOf(groups, '#/groups')],
  ...(quorum !== undefined && { quorum: Number(quorum) }),
  ...(escalateAfterSeconds !== undefined && { escalateAfterSeconds: Number(escalateAfterSeconds) }),
  ...(escalateTo !== undefined && { escalateTo: namesOf(escalateTo, '#/escalate/to') }),
  onReject: onReject === 'continue' ? 'resume' : 'fail',
})

/** Asks people; the same step again is the same question. */
export const beginApproval = async (ports: StepPorts, run: Run, { id: time, step }: Asked): Promise<Begun> => {
  const { tenant } = run
  const caller = callerOfRun(run)
  const id = idFromKey('apr', tenant, `${run.id} ${time}`)
  if (await findApproval(ports, tenant, id)) return { approval: id }
  const now = ports.clock.now()
  const approval: Approval = {
    ...requestApproval(
      { tenant, step: { run: run.id, workflow: run.workflow, name: step.name, id: time } },
      {
        id,
        prompt: step.prompt,
        terms: termsOf(step),
        now,
        expiresAt: now + Number(step.timeoutSeconds) * 1000,
        by: actorOf(caller),
      },
    ),
    stamp: stamp(caller, 'approval.request'),
  }
  await ports.main.write({ op: 'put', item: approvalItem(approval), expect: 'absent', rev: newRev(ports) })
  await remind(ports, { tenant, id, at: approval.dueAt ?? approval.expiresAt })
  return { approval: id }
}

type Ports = Parameters<typeof endStep>[0]

/** An approval of a step that is closed ends the step. */
export const endApprovalStep = async (ports: Ports, approval: Approval): Promise<void> => {
  const { tenant, step, state, onReject, decisions } = approval
  if (step === undefined || state === 'PENDING' || state === 'ESCALATED' || state === 'CANCELLED') return
  const place = { tenant, run: step.run, id: step.id }
  if (state === 'EXPIRED')
    return endStep(ports, place, { error: 'TIMEOUT', cause: `nobody decided approval ${approval.id} in time` })
  if (state === 'APPROVED' || onReject === 'resume') return endStep(ports, place, { output: responseOf(approval) })
  const { by, comment } = decisions.at(-1) ?? { by: 'somebody' }
  await endStep(ports, place, { error: 'REJECTED', cause: `rejected by ${by}${comment ? `: ${comment}` : ''}` })
}
