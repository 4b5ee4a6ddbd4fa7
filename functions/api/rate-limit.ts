import type { Operation } from '#shared/contracts/operations.ts'
import { type RateState, type Submits, takeSubmits } from '#shared/domain/limits/submit-rate.ts'
import type { Call, Context, Handler } from './operation.ts'

/** https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-10 */
export const rateHeaders = ({ name, rate, left, fullInSeconds }: RateState): Record<string, string> => ({
  'ratelimit-policy': `"${name}";q=${rate.count};w=${Math.ceil(rate.seconds)}`,
  ratelimit: `"${name}";r=${left};t=${fullInSeconds}`,
})

type Submitting<O extends Operation> = (context: Context, call: Call<O>, submits?: Submits) => ReturnType<Handler<O>>

/**
 * A handler that submits tasks, behind the tenant's submit rate. What instances submit is bounded by the trees and
 * budgets that it belongs to.
 */
export const withSubmitRate =
  <O extends Operation>(handler: Submitting<O>, countOf: (call: Call<O>) => number = () => 1): Handler<O> =>
  async (context, call) => {
    if (call.caller.principal.kind === 'instance') return handler(context, call)
    const submits = await takeSubmits(context.platform, call.caller.tenant, countOf(call))
    const reply = await handler(context, call, submits)
    if (submits === undefined || reply instanceof Response) return reply
    return { ...reply, headers: { ...reply.headers, ...rateHeaders(submits.state) } }
  }
