import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Approval, approvalStates, type Decision, isOpen } from '#shared/domain/approvals/approval.ts'
import {
  closeApproval,
  decideApproval,
  delegateApproval,
  escalateApproval,
  requestApproval,
} from '#shared/domain/approvals/approval-moves.ts'
import { isRefused } from '#shared/domain/domain-error.ts'
import { aTask } from '#test/support/builders.ts'

const anApproval = (quorum = 1): Approval => ({
  ...requestApproval(aTask({ status: 'WAITING' }), {
    id: 'apr_1',
    prompt: 'ship?',
    terms: { approvers: ['ann'], quorum, escalateAfterSeconds: 60, escalateTo: ['boss'] },
    now: 1000,
    expiresAt: 100_000,
    by: 'instance:a',
  }),
  stamp: { actor: 'a', action: 'b', request: 'c' },
})

type Step =
  | Pick<Decision, 'by' | 'verdict'>
  | { delegate: string }
  | { escalate: true }
  | { close: 'EXPIRED' | 'CANCELLED' }

const principals = ['key:a', 'key:b', 'key:c', 'key:d']
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ by: fc.constantFrom(...principals), verdict: fc.constant('approve' as const) }) },
  { weight: 1, arbitrary: fc.record({ by: fc.constantFrom(...principals), verdict: fc.constant('reject' as const) }) },
  fc.record({ delegate: fc.constantFrom('eve', 'zoe') }),
  fc.constant({ escalate: true as const }),
  fc.record({ close: fc.constantFrom('EXPIRED' as const, 'CANCELLED' as const) }),
)

const take = (approval: Approval, step: Step, at: number) => {
  if ('verdict' in step) return decideApproval(approval, { ...step, at })
  if ('delegate' in step) return delegateApproval(approval, { to: step.delegate, by: 'key:a', at })
  if ('escalate' in step) return approval.state === 'PENDING' ? escalateApproval(approval, at) : approval
  return closeApproval(approval, { state: step.close, at, comment: 'over' })
}

describe('an approval', () => {
  it('takes no decision and no delegation from the moment on at which it expires', () => {
    const approval = anApproval()
    const decision = { by: 'key:a', verdict: 'approve' as const }
    const delegation = { to: 'eve', by: 'key:a' }
    expect(decideApproval(approval, { ...decision, at: 99_999 })).toMatchObject({ state: 'APPROVED' })
    expect(decideApproval(approval, { ...decision, at: 100_000 })).toMatchObject({
      refused: 'ALREADY_DECIDED',
      message: expect.stringContaining('has expired at 1970-01-01T00:01:40.000Z'),
    })
    expect(delegateApproval(approval, { ...delegation, at: 99_999 })).toMatchObject({ approvers: ['eve'] })
    expect(delegateApproval(approval, { ...delegation, at: 100_000 })).toMatchObject({ refused: 'ALREADY_DECIDED' })
  })

  it('whatever people do: closes once, counts each principal once, and tells everything', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(steps, { maxLength: 15 }), (quorum, taken) => {
        let approval = anApproval(quorum)
        for (const [at, step] of taken.entries()) {
          const next = take(approval, step, 2000 + at)
          if (isRefused(next)) {
            expect(isOpen(approval)).toBe(false)
            continue
          }
          if (!isOpen(approval)) expect(next).toBe(approval)
          if (next !== approval) expect(next.history).toHaveLength(approval.history.length + 1)
          approval = next
          const by = approval.decisions.map((one) => one.by)
          expect(new Set(by).size).toBe(by.length)
          const approved = approval.decisions.filter(({ verdict }) => verdict === 'approve').length
          expect(approvalStates).toContain(approval.state)
          if (approval.state === 'APPROVED') expect(approved).toBe(quorum)
          if (isOpen(approval)) expect(approved).toBeLessThan(quorum)
          expect(approval.dueAt === undefined).toBe(!isOpen(approval))
        }
      }),
    )
  })

  it('is looked at for its escalation first, then for its end', () => {
    const approval = anApproval()
    expect(approval.dueAt).toBe(61_000)
    expect(escalateApproval(approval, 61_000)).toMatchObject({
      state: 'ESCALATED',
      approvers: ['ann', 'boss'],
      dueAt: 100_000,
    })
  })
})
