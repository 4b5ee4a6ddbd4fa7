import type { OperationOf } from '#shared/contracts/operations.ts'
import type { Caller } from '#shared/domain/caller.ts'
import { explainRun } from '#shared/domain/workflows/explain-run.ts'
import { redriveRun } from '#shared/domain/workflows/redrive-run.ts'
import { rerunRun } from '#shared/domain/workflows/rerun-run.ts'
import type { Run } from '#shared/domain/workflows/run.ts'
import { readRunHistory } from '#shared/domain/workflows/run-history.ts'
import { getRun, listRuns } from '#shared/domain/workflows/run-store.ts'
import {
  changeRunValue,
  getRunValue,
  keyOfValue,
  listRunValues,
  type RunValue,
  requireHolder,
} from '#shared/domain/workflows/run-value.ts'
import { startRun } from '#shared/domain/workflows/start-run.ts'
import { stopRun } from '#shared/domain/workflows/stop-run.ts'
import type { Platform, Stored } from '#shared/platform/platform.ts'
import { checkInput } from '../../check-input.ts'
import { idempotencyKey, ifMatch, iso, toETag } from '../../headers.ts'
import type { Handler, Reply } from '../../operation.ts'
import { answerRunEvents } from './run-events.ts'
import { toRun, toRunWithAsked, toRunWithSteps } from './run-response.ts'

const reply = async (platform: Platform, status: number, run: Run): Promise<Reply> => ({
  status,
  body: await toRunWithAsked(platform, run),
  headers: { ...(status === 202 && { location: `/api/v2/runs/${run.id}` }) },
})

const versionOf = ({ version }: { version?: string | number }) =>
  version === undefined ? {} : { version: String(version) }

const start: Handler<OperationOf<'startRun'>> = async ({ platform }, { caller, params, body, headers }) => {
  const command = {
    workflow: params.workflow ?? '',
    input: body.input,
    ...versionOf(body),
    idempotencyKey: idempotencyKey(headers),
  }
  return reply(platform, 202, await startRun(platform, caller, command, checkInput))
}

const list: Handler<OperationOf<'listRuns'>> = async ({ platform }, { caller, query }) => {
  const page = await listRuns(platform, caller.tenant, query)
  const items = await Promise.all(page.items.map((run) => toRun(platform, run)))
  return { status: 200, body: { items, nextCursor: page.cursor ?? null } }
}

const find = async (platform: Platform, { tenant }: Caller, params: Record<string, string>): Promise<Run> =>
  (await getRun(platform, tenant, params.run ?? '')).value

const get: Handler<OperationOf<'getRun'>> = async ({ platform }, { caller, params }) => ({
  status: 200,
  body: await toRunWithSteps(platform, await find(platform, caller, params)),
})

const why: Handler<OperationOf<'getRunWhy'>> = async ({ platform }, { caller, params }) => ({
  status: 200,
  body: await explainRun(platform, await find(platform, caller, params)),
})

const history: Handler<OperationOf<'getRunHistory'>> = async ({ platform }, { caller, params, query }) => {
  const page = await readRunHistory(platform, await find(platform, caller, params), query)
  const items = page.events.map(({ at, ...event }) => ({ ...event, time: iso(at) }))
  return { status: 200, body: { items, nextCursor: page.cursor ?? null } }
}

const stop: Handler<OperationOf<'stopRun'>> = async ({ platform }, { caller, params, body }) =>
  reply(platform, 200, await stopRun(platform, caller, params.run ?? '', body.reason))

const redrive: Handler<OperationOf<'redriveRun'>> = async ({ platform }, { caller, params }) =>
  reply(platform, 200, await redriveRun(platform, caller, params.run ?? ''))

const rerun: Handler<OperationOf<'rerunRun'>> = async ({ platform }, { caller, params, body, headers }) => {
  const wish = {
    ...('input' in body && { input: body.input }),
    ...versionOf(body),
    idempotencyKey: idempotencyKey(headers),
  }
  return reply(platform, 202, await rerunRun(platform, caller, params.run ?? '', wish, checkInput))
}

const toValue = (stored: Stored<RunValue>) => ({ key: keyOfValue(stored), value: stored.value.value, rev: stored.rev })

const listValues: Handler<OperationOf<'listRunValues'>> = async ({ platform }, { caller, params, query }) => {
  const run = await find(platform, caller, params)
  const { task, fence, ...paging } = query
  await requireHolder(platform, caller, run, { task, fence })
  const page = await listRunValues(platform, run, paging)
  return { status: 200, body: { items: page.items.map(toValue), nextCursor: page.cursor ?? null } }
}

const getValue: Handler<OperationOf<'getRunValue'>> = async ({ platform }, { caller, params, query }) => {
  const run = await find(platform, caller, params)
  await requireHolder(platform, caller, run, query)
  const stored = await getRunValue(platform, run, params.key ?? '')
  return { status: 200, body: toValue(stored), headers: { etag: toETag(stored.rev) } }
}

const putValue: Handler<OperationOf<'putRunValue'>> = async ({ platform }, { caller, params, body, headers }) => {
  const run = await find(platform, caller, params)
  await requireHolder(platform, caller, run, body)
  const keys = { key: params.key ?? '', idempotencyKey: idempotencyKey(headers) }
  const stored = await changeRunValue(platform, caller, run, { ...keys, value: body.value, ifMatch: ifMatch(headers) })
  return { status: 200, body: toValue(stored), headers: { etag: toETag(stored.rev) } }
}

export const runHandlers = {
  startRun: start,
  listRuns: list,
  getRun: get,
  getRunWhy: why,
  getRunHistory: history,
  followRun: answerRunEvents,
  stopRun: stop,
  redriveRun: redrive,
  rerunRun: rerun,
  listRunValues: listValues,
  getRunValue: getValue,
  putRunValue: putValue,
}
