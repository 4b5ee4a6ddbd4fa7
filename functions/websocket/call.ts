import { authorize } from '#functions/api/authorize.ts'
import type { Call, Handler, Reply } from '#functions/api/operation.ts'
import type { Operation } from '#shared/contracts/operations.ts'
import type { Identity } from '#shared/domain/access/authenticate.ts'
import { newRev } from '#shared/domain/ids.ts'
import type { Platform } from '#shared/platform/platform.ts'

/** Nothing is held open for a frame. */
const settings = { version: '', streamSeconds: 0, holdSeconds: 0 }

type Given<O extends Operation> = Partial<Pick<Call<O>, 'params' | 'query' | 'body'>> & { key?: string }

/** Does for a frame what its request over HTTP does, and answers the body of that answer. */
export const callAs = async <O extends Operation>(
  platform: Platform,
  { tenant, principal }: Identity,
  { operation, handler }: { operation: O; handler: Handler<O> },
  { key, params = {}, query, body }: Given<O>,
): Promise<unknown> => {
  const identity = { tenant, principal }
  authorize(identity, operation, params)
  const call = {
    caller: { ...identity, requestId: newRev(platform) },
    params,
    query,
    body,
    headers: new Headers(key === undefined ? {} : { 'idempotency-key': key }),
    signal: new AbortController().signal,
  } as Call<O>
  const reply = await handler({ platform, settings }, call)
  return (reply as Reply).body
}
