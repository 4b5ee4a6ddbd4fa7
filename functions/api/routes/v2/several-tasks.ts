import type { SubmittedTasks } from '#shared/contracts/batches.ts'
import type { Problem } from '#shared/contracts/common.ts'
import type { OperationOf } from '#shared/contracts/operations.ts'
import { areSubmitted, claimSubmits } from '#shared/domain/batches/claim-submits.ts'
import type { Caller } from '#shared/domain/caller.ts'
import type { Submits } from '#shared/domain/limits/submit-rate.ts'
import { makeKey } from '#shared/domain/made-key.ts'
import { requireChoosable } from '#shared/domain/tasks/choose-target.ts'
import type { SubmitCommand } from '#shared/domain/tasks/submit-command.ts'
import { submitTask } from '#shared/domain/tasks/submit-task.ts'
import { checkInput } from '../../check-input.ts'
import { toProblem } from '../../errors.ts'
import { checkKey, idempotencyKey, traceparent } from '../../headers.ts'
import type { Context, Handler } from '../../operation.ts'
import { underSubmitRate } from '../../rate-limit.ts'
import { readSubmit } from '../../read-submit.ts'
import { toTask } from './task-response.ts'

type Outcome = SubmittedTasks['items'][number]
type One = { index: number; command: SubmitCommand }
type Refused = { index: number; refusal: unknown }

const read = (
  body: Record<string, unknown>,
  { index, headers }: { index: number; headers: Headers },
): One | Refused => {
  try {
    const { idempotencyKey: own, ...rest } = body
    const key = idempotencyKey(headers)
    const ofOne = own === undefined ? key && makeKey('several', String(index), key) : checkKey(own, '#/idempotencyKey')
    return { index, command: { ...readSubmit(rest), idempotencyKey: ofOne, traceparent: traceparent(headers) } }
  } catch (refusal) {
    return { index, refusal }
  }
}

const refused = async ({ platform }: Context, caller: Caller, { index, refusal }: Refused): Promise<Outcome> => {
  const { status, response } = toProblem(refusal, caller.requestId)
  if (status >= 500)
    platform.telemetry.log('error', 'a task of several was not submitted', { index, error: String(refusal) })
  return { index, status, problem: (await response.json()) as Problem }
}

/** What `POST /tasks` would have answered to one of several. */
const submitOne = async (context: Context, caller: Caller, { index, command }: One): Promise<Outcome> => {
  try {
    const task = await submitTask(context.platform, caller, command, checkInput)
    return { index, status: 202, task: await toTask(context.platform, task) }
  } catch (refusal) {
    return refused(context, caller, { index, refusal })
  }
}

/** It is beyond the rate, unless it can be no task anyway. */
const refuseBeyond = async (context: Context, caller: Caller, { index, command }: One, submits?: Submits) => {
  try {
    await requireChoosable(context.platform, caller.tenant, command)
    return await refused(context, caller, { index, refusal: submits?.refusal })
  } catch (refusal) {
    return refused(context, caller, { index, refusal })
  }
}

/** As many as the rate has room for; what is refused leaves its room to the next. */
const submitWithin = async (context: Context, caller: Caller, all: One[], submits?: Submits): Promise<Outcome[]> => {
  const waiting = [...all]
  const outcomes: Outcome[] = []
  for (let room = submits?.taken ?? all.length; room > 0 && waiting.length > 0; ) {
    const some = await Promise.all(waiting.splice(0, room).map((one) => submitOne(context, caller, one)))
    outcomes.push(...some)
    room -= some.filter(({ status }) => status === 202).length
  }
  const left = waiting.map((one) => refuseBeyond(context, caller, one, submits))
  return [...outcomes, ...(await Promise.all(left))]
}

/**
 * Several at once. What is beyond the submit rate is refused one by one; what was submitted before does not count, and is
 * answered again.
 */
export const submitTasks: Handler<OperationOf<'submitTasks'>> = async (context, { caller, body, headers }) => {
  const key = idempotencyKey(headers)
  if (key !== undefined) await claimSubmits(context.platform, caller, { key, tasks: body.tasks })
  const all = body.tasks.map((one, index) => read(one, { index, headers }))
  const wellFormed = all.filter((one) => 'command' in one)
  const known = await areSubmitted(
    context.platform,
    caller.tenant,
    wellFormed.map(({ command }) => command),
  )
  const [before, fresh] = [true, false].map((which) => wellFormed.filter((_, at) => known[at] === which)) as [
    One[],
    One[],
  ]
  return underSubmitRate(
    context,
    caller,
    async () => fresh.length,
    async (submits) => {
      const answers = await Promise.all([
        ...all.filter((one) => 'refusal' in one).map((one) => refused(context, caller, one)),
        ...before.map((one) => submitOne(context, caller, one)),
      ])
      const items = [...answers, ...(await submitWithin(context, caller, fresh, submits))]
      return { status: 200, body: { items: items.toSorted((a, b) => a.index - b.index) } }
    },
  )
}
