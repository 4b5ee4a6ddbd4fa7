import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Appended } from '#shared/contracts/input.ts'
import type { TaskResponse } from '#shared/contracts/tasks.ts'
import type { Client } from '../client/client.ts'
import { ApiError } from '../client/errors.ts'
import { usageError } from '../failure.ts'
import { checkReadable } from '../input/files.ts'
import { readJson } from '../input/task-input.ts'
import { interruptible } from '../interrupt.ts'
import { print, printJson } from '../render/print.ts'

export type InputOptions = { response?: string; records?: string; end?: boolean; json?: boolean }

/** Answers a task that waits for input, or appends to its input stream. */
export const inputTask = async (client: Client, id: string, options: InputOptions): Promise<void> => {
  const { response, records, end = false, json } = options
  const streams = records !== undefined || end
  if ((response !== undefined) === streams) throw usageError('give either a --response, or --records, --end or both')
  const path = `/tasks/${encodeURIComponent(id)}/input`
  if (streams) return stream(client, path, { records, end, json })
  const task = await client.create<TaskResponse>(path, { response: await readJson(response, '--response') })
  if (json) printJson(task)
  else print(`${task.id} ${task.status}`)
}

type Stream = { records?: string; end: boolean; json?: boolean }

const stream = async (client: Client, path: string, { records, end, json }: Stream): Promise<void> => {
  let told: Appended = { lastSeq: 0, unread: 0, ended: false }
  const work = async (signal: AbortSignal): Promise<void> => {
    if (records !== undefined)
      for await (const batch of batches(records)) told = await append(client, path, { records: batch }, signal)
    if (end) told = await append(client, path, { end: true }, signal)
  }
  await interruptible(work, () => `${told.lastSeq} records were given`)
  if (json) printJson(told)
  else print(`${told.lastSeq} records${told.ended ? ', ended' : ''}`)
}

const pauseMs = 1000

/** Waits for room as long as it takes: the reader sets the pace. */
const append = async (client: Client, path: string, body: object, signal: AbortSignal): Promise<Appended> => {
  for (;;)
    try {
      return await client.create<Appended>(path, body, { signal })
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'INPUT_FULL') throw error
      await sleep(pauseMs, undefined, { signal })
    }
}

const most = { records: 500, bytes: 128 * 1024 }

/** The lines of a file of JSON lines, in batches that fit one request; `-` is standard input, told as it comes. */
async function* batches(file: string): AsyncGenerator<unknown[]> {
  if (file !== '-') checkReadable(file)
  const live = file === '-'
  const lines = createInterface({
    input: live ? process.stdin : createReadStream(file),
    crlfDelay: Number.POSITIVE_INFINITY,
  })
  let [batch, bytes, number]: [unknown[], number, number] = [[], 0, 0]
  for await (const line of lines) {
    number++
    if (line.trim() === '') continue
    if (batch.length > 0 && bytes + line.length > most.bytes) {
      yield batch
      ;[batch, bytes] = [[], 0]
    }
    batch.push(parseLine(line, file, number))
    bytes += Buffer.byteLength(line)
    if (!live && batch.length < most.records) continue
    yield batch
    ;[batch, bytes] = [[], 0]
  }
  if (batch.length > 0) yield batch
}

const parseLine = (line: string, file: string, number: number): unknown => {
  try {
    return JSON.parse(line)
  } catch (error) {
    throw usageError(`line ${number} of ${file} is not JSON: ${(error as Error).message}`)
  }
}
