import type { BatchResponse } from '#shared/contracts/batches.ts'
import type { OperationOf } from '#shared/contracts/operations.ts'
import { cancelBatch, type DescribedBatch, describeBatch, getBatch, listBatches } from '#shared/domain/batches/batch.ts'
import { checkRows } from '#shared/domain/batches/check-rows.ts'
import { createBatch } from '#shared/domain/batches/create-batch.ts'
import { percentOf, submittedOf } from '#shared/domain/fan-out/fan-out.ts'
import { checkInput } from '../../check-input.ts'
import { idempotencyKey, iso } from '../../headers.ts'
import type { Handler } from '../../operation.ts'
import { readSubmit } from '../../read-submit.ts'
import { submitTasks } from './several-tasks.ts'

const tools = { checkInput, readSubmit }

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
  const command = {
    ...rest,
    object: input.$ref,
    maxFailures: maxFailures ?? (onFailure === 'stop' ? 0 : undefined),
    idempotencyKey: idempotencyKey(headers),
  }
  const fan = await createBatch(platform, caller, command, (task) => checkRows(platform, caller, task, tools))
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

export const batchHandlers = {
  submitTasks,
  createBatch: create,
  listBatches: list,
  getBatch: get,
  cancelBatch: cancel,
}
