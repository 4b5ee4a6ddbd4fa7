import type { OperationOf } from '#shared/contracts/operations.ts'
import type { CreateSchedule, CronPatch, PatchSchedule, ScheduleResponse } from '#shared/contracts/schedules.ts'
import { checkAt } from '#shared/domain/check-at.ts'
import { invalid } from '#shared/domain/domain-error.ts'
import { deleteSchedule, makeSchedule, patchSchedule } from '#shared/domain/schedules/change-schedule.ts'
import { startOf } from '#shared/domain/schedules/jitter.ts'
import { runSchedule } from '#shared/domain/schedules/run-schedule.ts'
import type { Schedule, Timing } from '#shared/domain/schedules/schedule.ts'
import { getSchedule, listSchedules } from '#shared/domain/schedules/schedule-store.ts'
import { loadWork, shortWork, type Work } from '#shared/domain/schedules/schedule-task.ts'
import type { Stored } from '#shared/platform/platform.ts'
import { checkInput } from '../../check-input.ts'
import { idempotencyKey, ifMatch, iso, toETag } from '../../headers.ts'
import type { Context, Handler, Reply } from '../../operation.ts'
import { toCommand } from '../../read-submit.ts'
import { times, timingProblem } from '../../times.ts'

const tools = { times, checkInput }
const defaultCatchUpSeconds = 300
const shownTimes = 5

type TimingFields = Pick<CreateSchedule, 'cron' | 'rate' | 'at'>

/** What a body says about when, checked; `undefined` when it says nothing. */
const toTiming = ({ cron, rate, at }: TimingFields, now: number): Timing | undefined => {
  const timing: Timing | undefined = cron
    ? { cron }
    : rate
      ? { rate: { ...rate, from: now } }
      : at
        ? { at: Date.parse(at) }
        : undefined
  if (timing) requireTiming(timing, now)
  return timing
}

const requireTiming = (timing: Timing, now: number): void => {
  const problem = timingProblem(timing, now)
  if (problem) throw invalid(problem.pointer, 'TIMING', problem.message)
}

const mergeCron = ({ expression, timeZone }: CronPatch, before: Timing): Timing => {
  const known = 'cron' in before ? before.cron : undefined
  const merged = expression ?? known?.expression
  if (merged === undefined)
    throw invalid('#/cron/expression', 'REQUIRED', 'the schedule has no cron expression so far; give one')
  return { cron: { expression: merged, timeZone: (timeZone === undefined ? known?.timeZone : timeZone) ?? 'UTC' } }
}

/** What a patch says about when; of `cron` what is left out stays. */
const toTimingPatch = ({ cron, rate, at }: PatchSchedule, now: number) => {
  if (cron === undefined) return toTiming({ rate, at }, now)
  return (before: Timing): Timing => {
    const timing = mergeCron(cron, before)
    requireTiming(timing, now)
    return timing
  }
}

const shownTiming = (timing: Timing): TimingFields => {
  if ('at' in timing) return { at: iso(timing.at) }
  return 'cron' in timing ? timing : { rate: { everySeconds: timing.rate.everySeconds } }
}

const toSchedule = (schedule: Schedule, { task, run }: Work): ScheduleResponse => {
  const { id, name, timing, overlap, catchUpSeconds, jitterSeconds = 0, state } = schedule
  const { nextAt, last, waitingFor, counts } = schedule
  const next = state === 'ACTIVE' && nextAt !== undefined ? times(timing, nextAt - 1, shownTimes) : []
  return {
    id,
    ...(name !== undefined && { name }),
    ...shownTiming(timing),
    ...(task && { task }),
    ...(run && { run }),
    overlap,
    catchUpSeconds,
    jitterSeconds,
    state,
    next: next.map((time) => iso(startOf(schedule, time))),
    ...(last && { last: { ...last, at: iso(last.at) } }),
    ...(waitingFor !== undefined && { waitingFor: iso(waitingFor) }),
    counts,
    createdAt: iso(schedule.createdAt),
    updatedAt: iso(schedule.updatedAt),
  }
}

const reply = async (status: number, { platform }: Context, { value, rev }: Stored<Schedule>): Promise<Reply> => ({
  status,
  body: toSchedule(value, await loadWork(platform, value)),
  headers: { etag: toETag(rev), ...(status === 201 && { location: `/api/v2/schedules/${value.id}` }) },
})

const readTask = (task: Parameters<typeof toCommand>[0]) => checkAt({ at: '#/task' }, () => toCommand(task))

const create: Handler<OperationOf<'createSchedule'>> = async (context, { caller, body, headers }) => {
  const { platform } = context
  const timing = toTiming(body, platform.clock.now()) ?? { at: 0 }
  const { name, overlap = 'skip', catchUpSeconds = defaultCatchUpSeconds, jitterSeconds, state = 'ACTIVE' } = body
  const work = { ...(body.task && { task: await readTask(body.task) }), ...(body.run && { run: body.run }) }
  const command = { name, timing, ...work, overlap, catchUpSeconds, jitterSeconds, state }
  const key = idempotencyKey(headers)
  return reply(201, context, await makeSchedule(platform, caller, { ...command, idempotencyKey: key }, tools))
}

const list: Handler<OperationOf<'listSchedules'>> = async ({ platform }, { caller, query }) => {
  const page = await listSchedules(platform, caller.tenant, query)
  return {
    status: 200,
    body: {
      items: page.items.map(({ value }) => toSchedule(value, shortWork(value))),
      nextCursor: page.cursor ?? null,
    },
  }
}

const get: Handler<OperationOf<'getSchedule'>> = async (context, { caller, params }) =>
  reply(200, context, await getSchedule(context.platform, caller.tenant, params.schedule ?? ''))

const patch: Handler<OperationOf<'patchSchedule'>> = async (context, { caller, params, body, headers }) => {
  const { platform } = context
  const { cron: _, rate: __, at: ___, task, ...rest } = body
  const timing = toTimingPatch(body, platform.clock.now())
  const changes = { ...rest, ...(timing && { timing }), ...(task && { task: await readTask(task) }) }
  const wish = { patch: changes, ifMatch: ifMatch(headers) }
  return reply(200, context, await patchSchedule(platform, caller, params.schedule ?? '', wish, tools))
}

const run: Handler<OperationOf<'runSchedule'>> = async ({ platform }, { caller, params, headers }) => {
  const key = { idempotencyKey: idempotencyKey(headers) }
  const made = await runSchedule(platform, caller, params.schedule ?? '', key, tools)
  return { status: 200, body: { ...made, at: iso(made.at) } }
}

const remove: Handler<OperationOf<'deleteSchedule'>> = async ({ platform }, { caller, params, headers }) => {
  await deleteSchedule(platform, caller, params.schedule ?? '', ifMatch(headers))
  return { status: 204 }
}

export const scheduleHandlers = {
  createSchedule: create,
  listSchedules: list,
  getSchedule: get,
  patchSchedule: patch,
  runSchedule: run,
  deleteSchedule: remove,
}
