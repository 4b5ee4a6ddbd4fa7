import type { OperationOf } from '#shared/contracts/operations.ts'
import { answerTask } from '#shared/domain/input/answer-task.ts'
import { appendInput } from '#shared/domain/input/append-input.ts'
import { readInput } from '#shared/domain/input/read-input.ts'
import { waitTask } from '#shared/domain/input/wait-task.ts'
import { idempotencyKey } from '../../headers.ts'
import type { Handler } from '../../operation.ts'
import { toTask } from './task-response.ts'

const wait: Handler<OperationOf<'waitTask'>> = async ({ platform }, { caller, params, body }) => ({
  status: 200,
  body: await toTask(platform, await waitTask(platform, caller, params.task ?? '', body)),
})

const give: Handler<OperationOf<'giveInput'>> = async ({ platform }, { caller, params, body, headers }) => {
  const id = params.task ?? ''
  const key = { idempotencyKey: idempotencyKey(headers) }
  const { response, records = [], end = false } = body
  if (response === undefined)
    return { status: 200, body: await appendInput(platform, caller, id, { records, end, ...key }) }
  const task = await answerTask(platform, caller, id, { response, ...key })
  return { status: 200, body: await toTask(platform, task) }
}

const read: Handler<OperationOf<'readInput'>> = async ({ platform, settings }, { caller, params, query, signal }) => {
  const waitSeconds = Math.min(query.wait, settings.holdSeconds)
  const page = await readInput(platform, caller, params.task ?? '', { ...query, waitSeconds, signal })
  const later = page.records.length === 0 && !page.ended && waitSeconds < query.wait
  return { status: 200, body: { ...page, ...(later && { retryAfterSeconds: 1 }) } }
}

export const inputHandlers = { waitTask: wait, giveInput: give, readInput: read }
