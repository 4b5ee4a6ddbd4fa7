import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskResponse } from '#shared/contracts/tasks.ts'
import { fetchObject, putObject } from './object-transfer.ts'
import { Refusal, sendUntilAnswered } from './platform-client.ts'
import { sizeOf } from './reporter.ts'
import type { SlotCalls } from './slot-messages.ts'
import type { Sender } from './task-source.ts'

type Access = { source: Sender; signal: AbortSignal; workspace: string }
type Call = SlotCalls['call']

const maxInlineInput = 200 * 1024
const holdSeconds = 20
/** Between two looks where the platform does not hold an answer. */
const pause = { first: 200, most: 3000 }

/** Submits a child of a task, or finds the one of an earlier attempt by its key, and waits for its end. */
export const callChild = async (
  access: Access,
  parent: string,
  argument: Call['argument'],
): Promise<Call['answer']> => {
  try {
    const { id } = await submit(access, parent, argument)
    return await outcomeOf(access, await untilEnded(access, id))
  } catch (error) {
    if (!(error instanceof Refusal) || error.code === 'STALE_FENCE') throw error
    return { failed: { code: error.code, message: `the platform refused ${error.message}`, retryable: false } }
  }
}

const submit = async (access: Access, parent: string, { key, body }: Call['argument']): Promise<TaskResponse> => {
  const large = sizeOf(body.input) > maxInlineInput
  const input = large ? await putInput(access, parent, Buffer.from(JSON.stringify(body.input))) : body.input
  return (await sendUntilAnswered(access.source, {
    method: 'POST',
    path: '/tasks',
    headers: { 'idempotency-key': `${parent}/${key}` },
    body: { ...body, input, parent },
    signal: access.signal,
  })) as TaskResponse
}

/** Named by what is in it: another attempt that makes the same call sends the same reference. */
const putInput = (access: Access, parent: string, bytes: Buffer): Promise<{ $ref: string }> => {
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return putObject(access, { bytes }, 'application/json', `${parent}/${sha256}`)
}

const isEnded = ({ status }: TaskResponse): boolean => ['SUCCEEDED', 'FAILED', 'CANCELLED'].includes(status)

const untilEnded = async ({ source, signal }: Access, id: string): Promise<TaskResponse> => {
  for (let quick = 0; ; ) {
    const began = performance.now()
    const headers = { prefer: `wait=${holdSeconds}` }
    const task = (await sendUntilAnswered(source, {
      method: 'GET',
      path: `/tasks/${id}`,
      headers,
      signal,
    })) as TaskResponse
    if (isEnded(task)) return task
    quick = performance.now() - began < 1000 ? quick + 1 : 0
    if (quick > 0) await sleep(Math.min(pause.first * 2 ** (quick - 1), pause.most), undefined, { signal })
  }
}

const outcomeOf = async (access: Access, task: TaskResponse): Promise<Call['answer']> => {
  const { id, status, failure, result, resultRef } = task
  if (status !== 'SUCCEEDED') {
    const { code = status, message = `it is ${status}` } = failure ?? {}
    return { failed: { code, message: `task ${id}: ${message}`, retryable: false } }
  }
  if (result !== undefined || resultRef === undefined) return { result: result ?? null }
  return { result: JSON.parse(await readFile(await fetchObject(access, resultRef.$ref, access.workspace), 'utf8')) }
}
