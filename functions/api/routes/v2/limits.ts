import type { OperationOf } from '#shared/contracts/operations.ts'
import { changeLimits, unsetRev } from '#shared/domain/limits/change-limits.ts'
import { describeLimits } from '#shared/domain/limits/describe-limits.ts'
import { findLimits, type LimitsRow } from '#shared/domain/limits/limits-store.ts'
import { readUsage, readUsageOfTasks } from '#shared/domain/usage/read-usage.ts'
import { readTaskUsage } from '#shared/domain/usage/task-usage.ts'
import type { Stored } from '#shared/platform/platform.ts'
import { ifMatch, toETag } from '../../headers.ts'
import type { Context, Handler, Reply } from '../../operation.ts'
import { toAttempt } from './tasks.ts'

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

const ms = (time: string | undefined): number | undefined => (time === undefined ? undefined : Date.parse(time))

const usage: Handler<OperationOf<'getUsage'>> = async ({ platform }, { caller, query }) => {
  const { by, limit, cursor } = query
  const range = { since: ms(query.since), until: ms(query.until) }
  const report =
    by === 'task'
      ? await readUsageOfTasks(platform, caller.tenant, { ...range, limit, cursor })
      : await readUsage(platform, caller.tenant, { ...range, by })
  const { since, until, rows, totals, cursor: next } = report
  const items = rows.map(({ key, used }) => ({ key, ...used }))
  return { status: 200, body: { since, until, items, totals, nextCursor: next ?? null } }
}

const ofTask: Handler<OperationOf<'getTaskUsage'>> = async ({ platform }, { caller, params }) => {
  const { attempts, totals, budget, left } = await readTaskUsage(platform, caller.tenant, params.task ?? '')
  const rows = attempts.map(({ seconds, compute, ...attempt }) => ({ ...toAttempt(attempt), seconds, compute }))
  return { status: 200, body: { attempts: rows, totals, ...(budget && { budget }), ...(left && { budgetLeft: left }) } }
}

export const limitHandlers = { getLimits: get, patchLimits: patch, getUsage: usage, getTaskUsage: ofTask }
