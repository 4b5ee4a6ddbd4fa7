import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { BatchResponse } from '#shared/contracts/batches.ts'
import type { Client } from '../client/client.ts'
import { downloadObject } from '../client/objects.ts'
import { toQuery } from '../client/query.ts'
import { note, noteMore, print, printFields, printJson, printTable } from '../render/print.ts'
import type { Column } from '../render/table.ts'
import { plain } from '../render/terminal.ts'
import { ago } from '../render/time.ts'

type Shown = { json?: boolean }

const pathOf = (id: string): string => `/batches/${encodeURIComponent(id)}`

/** How far a batch is, on one line. */
export const describeCounts = ({ counts }: BatchResponse): string => {
  const { total, submitted, succeeded, failed, cancelled } = counts
  const parts = [
    `${succeeded} of ${total ?? `${submitted} or more`} succeeded`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(cancelled > 0 ? [`${cancelled} cancelled`] : []),
  ]
  return parts.join(', ')
}

/** One batch. */
export const getBatch = async (client: Client, id: string, { json }: Shown): Promise<void> => {
  const batch = await client.get<BatchResponse>(pathOf(id))
  if (json) return printJson(batch)
  printFields([
    ['id', batch.id],
    ['name', batch.name && plain(batch.name)],
    ['state', batch.state],
    ['task', batch.task],
    ['rows', describeCounts(batch)],
    ['progress', `${batch.percent} %`],
    ['created', batch.createdAt],
    ['finished', batch.finishedAt],
    ['message', batch.message && plain(batch.message)],
    ['report', batch.report && `devcycle batches report ${batch.id}`],
  ])
}

const columns: Column[] = [
  { title: 'BATCH' },
  { title: 'STATE' },
  { title: 'NAME', cut: { at: 'end', least: 12 } },
  { title: 'DONE', align: 'right' },
  { title: 'AGE', align: 'right' },
  { title: 'ROWS', cut: { at: 'end', least: 16 } },
]

const toRow = (batch: BatchResponse): string[] => [
  batch.id,
  batch.state,
  plain(batch.name ?? '-'),
  `${batch.percent} %`,
  ago(batch.createdAt),
  describeCounts(batch),
]

type ListOptions = { limit: number; cursor?: string; json?: boolean }

/** Batches as a table. */
export const listBatches = async (client: Client, { limit, cursor, json }: ListOptions): Promise<void> => {
  const query = toQuery({ limit, cursor })
  const page = await client.get<{ items: BatchResponse[]; nextCursor: string | null }>(`/batches${query}`)
  if (json) return printJson(page)
  printTable(columns, page.items.map(toRow), 'no batches')
  noteMore(page)
}

/** Cancels a batch. */
export const cancelBatch = async (client: Client, id: string, { json }: Shown): Promise<void> => {
  const batch = await client.request<BatchResponse>('POST', `${pathOf(id)}/cancel`)
  if (json) printJson(batch)
  else print(`${batch.id} is being cancelled`)
}

/** The report of a batch to standard output; with `--json` the object that it is. */
export const reportBatch = async (client: Client, id: string, { json }: Shown): Promise<void> => {
  const { report, state } = await client.get<BatchResponse>(pathOf(id))
  if (report === undefined)
    return note(state === 'RUNNING' ? `${id} has not ended; its report comes then` : 'every row succeeded')
  if (json) return printJson(await client.get(`/objects/${report.$ref}`))
  await pipeline(Readable.fromWeb(await downloadObject(client, report.$ref)), process.stdout, { end: false })
}
