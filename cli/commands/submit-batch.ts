import { setTimeout as sleep } from 'node:timers/promises'
import type { BatchResponse } from '#shared/contracts/batches.ts'
import type { Client } from '../client/client.ts'
import { uploadFile } from '../client/objects.ts'
import { CliError, exitCodes, usageError } from '../failure.ts'
import { withReadable } from '../input/files.ts'
import { parseLabels } from '../input/task-input.ts'
import { interruptible } from '../interrupt.ts'
import { note, print, printJson } from '../render/print.ts'
import { createProgress } from '../render/progress.ts'
import { describeCounts } from './batches.ts'

export type SubmitBatchOptions = {
  capability?: string
  agent?: string
  priority?: string
  label?: string[]
  timeout?: number
  name?: string
  maxInFlight?: number
  maxFailures?: number
  idempotencyKey?: string
  follow?: boolean
  json?: boolean
}

const lookEveryMs = 500

/** What is done with each row; `undefined`: the rows say it themselves. */
const taskOf = ({ capability, agent, priority, label, timeout }: SubmitBatchOptions): object | undefined => {
  if (capability !== undefined || agent !== undefined)
    return { capability, agent, priority, labels: parseLabels(label), timeoutSeconds: timeout }
  if ([priority, label, timeout].some((option) => option !== undefined))
    throw usageError('--priority, --label and --timeout need --capability or --agent')
  return undefined
}

/**
 * Uploads a file, or standard input for `-`, and submits a task for each of its lines; with `--follow` the exit code tells
 * how that ended.
 */
export const submitBatch = async (client: Client, file: string, options: SubmitBatchOptions): Promise<void> => {
  const task = taskOf(options)
  await withReadable(file, (path) => submitRows(client, path, { ...options, task }))
}

const submitRows = async (
  client: Client,
  file: string,
  { task, name, maxInFlight, maxFailures, idempotencyKey, follow, json }: SubmitBatchOptions & { task?: object },
): Promise<void> => {
  let id: string | undefined
  const work = async (signal: AbortSignal): Promise<void> => {
    const upload = { contentType: 'application/jsonl', idempotencyKey, signal }
    const { ref } = await uploadFile(client, file, upload)
    const headers = idempotencyKey === undefined ? undefined : { 'idempotency-key': idempotencyKey }
    const body = { input: ref, task, name, maxInFlight, maxFailures }
    const batch = await client.create<BatchResponse>('/batches', body, { headers, signal })
    id = batch.id
    if (follow) return followBatch(client, batch, { json, signal })
    if (json) printJson(batch)
    else print(batch.id)
  }
  await interruptible(work, () =>
    id === undefined ? 'nothing was submitted' : `${id} goes on; devcycle batches get ${id} shows it again`,
  )
}

const followBatch = async (
  client: Client,
  start: BatchResponse,
  { json, signal }: { json?: boolean; signal: AbortSignal },
): Promise<void> => {
  note(start.id)
  const progress = createProgress(process.stderr)
  let batch = start
  try {
    while (batch.state === 'RUNNING') {
      await sleep(lookEveryMs, undefined, { signal })
      batch = await client.get<BatchResponse>(`/batches/${start.id}`, { signal })
      progress.update({ percent: batch.percent, message: describeCounts(batch) })
    }
  } finally {
    progress.end()
  }
  if (json) printJson(batch)
  else print(`${batch.state}: ${describeCounts(batch)}`)
  if (batch.report) note(`devcycle batches report ${batch.id} tells which and why`)
  if (batch.state !== 'SUCCEEDED') throw new CliError(`batch ${batch.id} is ${batch.state}`, exitCodes.taskFailed)
}
