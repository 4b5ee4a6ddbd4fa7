import type { OperationOf } from '#shared/contracts/operations.ts'
import { changeLimits, unsetRev } from '#shared/domain/limits/change-limits.ts'
import { describeLimits } from '#shared/domain/limits/describe-limits.ts'
import { findLimits, type LimitsRow } from '#shared/domain/limits/limits-store.ts'
import type { Stored } from '#shared/platform/platform.ts'
import { ifMatch, toETag } from '../../headers.ts'
import type { Context, Handler, Reply } from '../../operation.ts'

const reply = async ({ platform }: Context, tenant: string, found: Stored<LimitsRow> | undefined): Promise<Reply> => ({
  status: 200,
  body: await describeLimits(platform, tenant, found?.value ?? {}),
  headers: { etag: toETag(found?.rev ?? unsetRev) },
})

const get: Handler<OperationOf<'getLimits'>> = async (context, { caller }) =>
  reply(context, caller.tenant, await findLimits(context.platform, caller.tenant))

const patch: Handler<OperationOf<'patchLimits'>> = async (context, { caller, body, headers }) =>
  reply(
    context,
    caller.tenant,
    await changeLimits(context.platform, caller, { patch: body, ifMatch: ifMatch(headers) }),
  )

export const limitHandlers = { getLimits: get, patchLimits: patch }
