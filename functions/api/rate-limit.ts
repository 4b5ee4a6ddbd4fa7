import type { Operation } from '#shared/contracts/operations.ts'
import type { Caller } from '#shared/domain/caller.ts'
import { idFromKey } from '#shared/domain/ids.ts'
import { isSpent, type RateState, type Submits, takeSubmits } from '#shared/domain/limits/submit-rate.ts'
import { findTask } from '#shared/domain/tasks/task-store.ts'
import { idempotencyKey } from './headers.ts'
import type { Call, Context, Handler, Reply } from './operation.ts'

/** https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-10 */
export const rateHeaders = ({ name, rate, left, fullInSeconds }: RateState): Record<string, string> => ({
  'ratelimit-policy': `"${name}";q=${rate.count};w=${Math.ceil(rate.seconds)}`,
  ratelimit: `"${name}";r=${left};t=${fullInSeconds}`,
})

type Answer = Reply | Response

/**
 * Submits so many tasks behind the tenant's submit rate. What instances submit is bounded by the trees and budgets that it
 * belongs to.
 */
export const underSubmitRate = async (
  { platform }: Context,
  { principal, tenant }: Caller,
  countOf: () => Promise<number>,
  submit: (submits?: Submits) => Promise<Answer>,
): Promise<Answer> => {
  if (principal.kind === 'instance') return submit()
  const submits = await takeSubmits(platform, tenant, countOf)
  const reply = await submit(submits)
  if (submits === undefined || reply instanceof Response) return reply
  return { ...reply, headers: { ...reply.headers, ...rateHeaders(submits.state) } }
}

/** What was submitted under its key before is answered, not submitted anew. */
const isKnown = async ({ platform }: Context, { caller: { tenant }, headers }: Call): Promise<boolean> => {
  const key = idempotencyKey(headers)
  return key !== undefined && (await findTask(platform, tenant, idFromKey('tsk', tenant, key))) !== undefined
}

/** A handler that submits a task, behind the tenant's submit rate. */
export const withSubmitRate =
  <O extends Operation>(handler: Handler<O>): Handler<O> =>
  (context, call) => {
    const countOf = async () => ((await isKnown(context, call)) ? 0 : 1)
    return underSubmitRate(context, call.caller, countOf, async (submits) => {
      if (isSpent(submits)) throw submits.refusal
      return handler(context, call)
    })
  }
