import type { DeadLetterResponse, QueueResponse, ReceivedMessages } from '#shared/contracts/queues.ts'
import type { Client } from '../client/client.ts'
import { toQuery } from '../client/query.ts'
import { readJson } from '../input/task-input.ts'
import { note, noteMore, print, printFields, printJson, printTable } from '../render/print.ts'
import type { Column } from '../render/table.ts'
import { plain } from '../render/terminal.ts'
import { ago } from '../render/time.ts'

type Shown = { json?: boolean }
type Page<T> = { items: T[]; nextCursor: string | null }
type ListOptions = Shown & { limit: number; cursor?: string }

const pathOf = (name: string): string => `/queues/${encodeURIComponent(name)}`

export type CreateQueueOptions = Shown & { visibility: number; maxReceives: number; description?: string }

/** Makes a queue. */
export const createQueue = async (client: Client, name: string, options: CreateQueueOptions): Promise<void> => {
  const { visibility: visibilitySeconds, maxReceives, description, json } = options
  const queue = await client.create<QueueResponse>('/queues', { name, visibilitySeconds, maxReceives, description })
  if (json) printJson(queue)
  else print(queue.name)
}

/** One queue with its depth. */
export const getQueue = async (client: Client, name: string, { json }: Shown): Promise<void> => {
  const queue = await client.get<QueueResponse>(pathOf(name))
  if (json) return printJson(queue)
  printFields([
    ['name', queue.name],
    ['waiting', String(queue.depth?.waiting)],
    ['with receivers', String(queue.depth?.inFlight)],
    ['dead letters', String(queue.depth?.dead)],
    ['visibility', `${queue.visibilitySeconds} s`],
    ['receives', `${queue.maxReceives} at most`],
    ['description', queue.description && plain(queue.description)],
    ['created', queue.createdAt],
  ])
}

const columns: Column[] = [
  { title: 'QUEUE' },
  { title: 'VISIBILITY', align: 'right' },
  { title: 'RECEIVES', align: 'right' },
  { title: 'AGE', align: 'right' },
  { title: 'DESCRIPTION', cut: { at: 'end', least: 16 } },
]

/** Queues as a table. */
export const listQueues = async (client: Client, { limit, cursor, json }: ListOptions): Promise<void> => {
  const page = await client.get<Page<QueueResponse>>(`/queues${toQuery({ limit, cursor })}`)
  if (json) return printJson(page)
  const rows = page.items.map(({ name, visibilitySeconds, maxReceives, createdAt, description = '-' }) => [
    name,
    `${visibilitySeconds} s`,
    String(maxReceives),
    ago(createdAt),
    plain(description),
  ])
  printTable(columns, rows, 'no queues')
  noteMore(page)
}

/** Deletes a queue. */
export const deleteQueue = async (client: Client, name: string, { json }: Shown): Promise<void> => {
  await client.request('DELETE', pathOf(name))
  if (!json) print(`${name} is deleted`)
}

export type SendOptions = Shown & { type: string; data?: string; subject?: string; idempotencyKey?: string }

/** Sends a message to a queue. */
export const sendToQueue = async (client: Client, queue: string, options: SendOptions): Promise<void> => {
  const { type, subject, idempotencyKey, json } = options
  const data = await readJson(options.data, 'the data')
  const headers = idempotencyKey === undefined ? undefined : { 'idempotency-key': idempotencyKey }
  const sent = await client.create<{ id: string }>('/messages', { to: { queue }, type, subject, data }, { headers })
  if (json) printJson(sent)
  else print(sent.id)
}

export type ReceiveOptions = Shown & { max: number; wait: number; visibility?: number; ack?: true }

/** Receives messages: each as a line of receipt, type and data. */
export const receive = async (client: Client, name: string, options: ReceiveOptions): Promise<void> => {
  const { max, wait, visibility: visibilitySeconds, ack, json } = options
  const request = { body: { max, visibilitySeconds }, headers: { prefer: `wait=${wait}` } }
  const { messages } = await client.request<ReceivedMessages>('POST', `${pathOf(name)}/receive`, request)
  const receipts = messages.map(({ receipt }) => receipt)
  if (ack && receipts.length > 0) await client.request('POST', `${pathOf(name)}/ack`, { body: { receipts } })
  if (json) return printJson(messages)
  for (const { receipt, message } of messages)
    print([receipt, plain(message.type), plain(JSON.stringify(message.data))].join('  '))
  if (messages.length === 0) note('no messages')
}

type Settled = { items: { receipt: string; ok: boolean; message?: string }[] }

const tellSettled = ({ items }: Settled, json: boolean | undefined): void => {
  const lines = items.map(
    ({ receipt, ok, message = '' }) => `${receipt} ${ok ? 'done' : `not done: ${plain(message)}`}`,
  )
  if (json) printJson({ items })
  else for (const line of lines) print(line)
  if (items.some(({ ok }) => !ok)) process.exitCode = 1
}

/** Acknowledges what was received. */
export const acknowledge = async (
  client: Client,
  name: string,
  { receipts, json }: Shown & { receipts: string[] },
): Promise<void> => {
  tellSettled(await client.request<Settled>('POST', `${pathOf(name)}/ack`, { body: { receipts } }), json)
}

/** Keeps what was received for longer. */
export const extend = async (
  client: Client,
  name: string,
  { receipts, seconds: visibilitySeconds, json }: Shown & { receipts: string[]; seconds: number },
): Promise<void> => {
  const body = { receipts, visibilitySeconds }
  tellSettled(await client.request<Settled>('POST', `${pathOf(name)}/extend`, { body }), json)
}

const deadColumns: Column[] = [
  { title: 'LETTER' },
  { title: 'MESSAGE' },
  { title: 'TYPE' },
  { title: 'AGE', align: 'right' },
  { title: 'REASON', cut: { at: 'end', least: 16 } },
]

/** Dead letters as a table. */
export const listDeadLetters = async (
  client: Client,
  name: string,
  { limit, cursor, json }: ListOptions,
): Promise<void> => {
  const page = await client.get<Page<DeadLetterResponse>>(`${pathOf(name)}/dead-letters${toQuery({ limit, cursor })}`)
  if (json) return printJson(page)
  const rows = page.items.map(({ id, message, reason, createdAt }) => [
    id,
    message.id,
    plain(message.type),
    ago(createdAt),
    plain(`${reason.code}: ${reason.message}`),
  ])
  printTable(deadColumns, rows, 'no dead letters')
  noteMore(page)
}

/** Puts dead letters back. */
export const redriveQueue = async (
  client: Client,
  name: string,
  { limit, json }: Shown & { limit: number },
): Promise<void> => {
  const answer = await client.request<{ redriven: number }>('POST', `${pathOf(name)}/redrive`, { body: { limit } })
  if (json) printJson(answer)
  else print(`${answer.redriven} wait again`)
}
