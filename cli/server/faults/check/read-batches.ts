import type { BatchResponse } from '#shared/contracts/batches.ts'
import type { Client } from '../../../client/client.ts'
import { listAll } from '../../../client/list-all.ts'
import { downloadObject } from '../../../client/objects.ts'
import type { FinalBatch } from './history.ts'

export const listBatches = (client: Client): Promise<BatchResponse[]> => listAll<BatchResponse>(client, '/batches')

/** The lines of an object, one after the other. */
async function* linesOf(client: Client, object: string): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of await downloadObject(client, object)) {
    const texts = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = texts.pop() ?? ''
    yield* texts
  }
  if (rest !== '') yield rest
}

const countLines = async (client: Client, object: string): Promise<number> => {
  let count = 0
  for await (const _ of linesOf(client, object)) count++
  return count
}

/** Rows that the report tells of without a task: they could be none. */
const refusedRows = async (client: Client, { report }: BatchResponse): Promise<Set<number>> => {
  const rows = new Set<number>()
  if (report === undefined) return rows
  for await (const text of linesOf(client, report.$ref)) {
    const { line, task } = JSON.parse(text) as { line: number; task?: string }
    if (task === undefined) rows.add(line - 1)
  }
  return rows
}

/** A batch as it is in the end; `object` is what its rows are read from, if that is known. */
export const readBatch = async (
  client: Client,
  batch: BatchResponse,
  object: string | undefined,
): Promise<FinalBatch> => {
  const { id, state, message, counts } = batch
  const { total, submitted } = counts
  const rows = total ?? (state === 'RUNNING' && object !== undefined ? await countLines(client, object) : submitted)
  return { id, state, stopped: message !== undefined, submitted, rows, refused: await refusedRows(client, batch) }
}
