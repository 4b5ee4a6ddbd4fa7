import type { BatchResponse, SubmittedTasks } from '#shared/contracts/batches.ts'
import type { Problem } from '#shared/contracts/common.ts'
import type { OperationOf } from '#shared/contracts/operations.ts'
import { cancelBatch, type DescribedBatch, describeBatch, getBatch, listBatches } from '#shared/domain/batches/batch.ts'
import { claimSubmits } from '#shared/domain/batches/claim-submits.ts'
import { createBatch } from '#shared/domain/batches/create-batch.ts'
import type { Caller } from '#shared/domain/caller.ts'
import { percentOf, submittedOf } from '#shared/domain/fan-out/fan-out.ts'
import type { Submits } from '#shared/domain/limits/submit-rate.ts'
import { submitTask } from '#shared/domain/tasks/submit-task.ts'
import { checkInput } from '../../check-input.ts'
import { toProblem } from '../../errors.ts'
import { checkKey, idempotencyKey, iso, traceparent } from '../../headers.ts'
import type { Call, Context, Handler } from '../../operation.ts'
import { withSubmitRate } from '../../rate-limit.ts'
import { readSubmit } from '../../read-submit.ts'
import { toTask } from './task-response.ts'

const toBatch = ({ fan, counts }: DescribedBatch): BatchResponse => ({
  id: fan.id,
  ...(fan.name !== undefined && { name: fan.name }),
  state: fan.state,
  ...(fan.task !== undefined && { task: fan.task }),
  counts: { total: fan.total ?? null, submitted: submittedOf(fan, counts), ...counts },
  percent: percentOf(fan, counts),
  maxInFlight: fan.maxInFlight,
  createdAt: iso(fan.createdAt),
  ...(fan.finishedAt !== undefined && { finishedAt: iso(fan.finishedAt) }),
  ...(fan.stopping && { message: fan.stopping.message }),
  ...(fan.report !== undefined && { report: { $ref: fan.report } }),
})

const create: Handler<OperationOf<'createBatch'>> = async ({ platform }, { caller, body, headers }) => {
  const { input, onFailure, maxFailures, ...rest } = body
  const fan = await createBatch(platform, caller, {
    ...rest,
    object: input.$ref,
    maxFailures: maxFailures ?? (onFailure === 'stop' ? 0 : undefined),
    idempotencyKey: idempotencyKey(headers),
  })
  const location = `/api/v2/batches/${fan.id}`
  return { status: 202, body: toBatch(await describeBatch(platform, fan)), headers: { location } }
}

const list: Handler<OperationOf<'listBatches'>> = async ({ platform }, { caller, query }) => {
  const page = await listBatches(platform, caller.tenant, query)
  return { status: 200, body: { items: page.items.map(toBatch), nextCursor: page.cursor ?? null } }
}

const get: Handler<OperationOf<'getBatch'>> = async ({ platform }, { caller, params }) => ({
  status: 200,
  body: toBatch(await getBatch(platform, caller.tenant, params.batch ?? '')),
})

const cancel: Handler<OperationOf<'cancelBatch'>> = async ({ platform }, { caller, params }) => ({
  status: 200,
  body: toBatch(await cancelBatch(platform, caller, params.batch ?? '')),
})

type One = { index: number; body: Record<string, unknown>; key?: string; trace?: string; refusal?: Error }

/** What `POST /tasks` would have answered to one of several. */
const submitOne = async (
  { platform }: Context,
  caller: Caller,
  { index, body, key, trace, refusal }: One,
): Promise<SubmittedTasks['items'][number]> => {
  try {
    if (refusal) throw refusal
    const { idempotencyKey: own, ...rest } = body
    const idempotencyKey = own === undefined ? key && `${key}\n${index}` : checkKey(own, '#/idempotencyKey')
    const command = { ...readSubmit(rest), idempotencyKey, traceparent: trace }
    const task = await submitTask(platform, caller, command, checkInput)
    return { index, status: 202, task: await toTask(platform, task) }
  } catch (error) {
    const { status, response } = toProblem(error, caller.requestId)
    if (status >= 500)
      platform.telemetry.log('error', 'a task of several was not submitted', { index, error: String(error) })
    return { index, status, problem: (await response.json()) as Problem }
  }
}

type SubmitTasks = Call<OperationOf<'submitTasks'>>

/** What is beyond the submit rate is refused one by one. */
const submitTasks = async (context: Context, { caller, body, headers }: SubmitTasks, submits?: Submits) => {
  const key = idempotencyKey(headers)
  if (key !== undefined) await claimSubmits(context.platform, caller, { key, tasks: body.tasks })
  const all = { key, trace: traceparent(headers) }
  const items = await Promise.all(
    body.tasks.map((one, index) => {
      const refusal = submits && index >= submits.taken ? submits.refusal : undefined
      return submitOne(context, caller, { index, body: one, refusal, ...all })
    }),
  )
  return { status: 200, body: { items } }
}

export const batchHandlers = {
  submitTasks: withSubmitRate<OperationOf<'submitTasks'>>(submitTasks, ({ body }) => body.tasks.length),
  createBatch: create,
  listBatches: list,
  getBatch: get,
  cancelBatch: cancel,
}
