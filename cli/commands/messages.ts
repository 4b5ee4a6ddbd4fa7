import type { MessageResponse } from '#shared/contracts/messages.ts'
import type { Client } from '../client/client.ts'
import { toQuery } from '../client/query.ts'
import { exitCodes } from '../failure.ts'
import { parseLabels, readJson } from '../input/task-input.ts'
import { note, noteMore, print, printFields, printJson, printTable } from '../render/print.ts'
import type { Column } from '../render/table.ts'
import { plain } from '../render/terminal.ts'
import { ago } from '../render/time.ts'

type Shown = { json?: boolean }
type Page = { items: MessageResponse[]; nextCursor: string | null }

export type SendOptions = Shown & {
  body?: string
  subject?: string
  conversation?: string
  replyTo?: string
  expires?: string
  idempotencyKey?: string
}

const bodyOf = async (type: string, options: SendOptions): Promise<object> => {
  const { body: content, subject, conversation, replyTo, expires: expiresAt } = options
  return { type, data: await readJson(content, '--body'), subject, conversation, replyTo, expiresAt }
}

const create = (client: Client, body: object, { idempotencyKey }: SendOptions, wait = 0): Promise<MessageResponse> => {
  const key = idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }
  return client.create<MessageResponse>('/messages', body, {
    headers: { ...key, ...(wait > 0 && { prefer: `wait=${wait}` }) },
  })
}

const tell = (message: MessageResponse, { json }: Shown): void => (json ? printJson(message) : print(message.id))

export type ToOptions = { capability?: boolean; queue?: boolean; label?: string[]; agentType?: string[] }

const recipientOf = (to: string, { capability, queue }: ToOptions): object => {
  if (queue) return { queue: to }
  return capability ? { capability: to } : { agent: to }
}

/** Sends a message to one agent, or to a queue. */
export const sendMessage = async (
  client: Client,
  to: string,
  type: string,
  options: SendOptions & ToOptions,
): Promise<void> =>
  tell(await create(client, { to: recipientOf(to, options), ...(await bodyOf(type, options)) }, options), options)

/** Sends a message to everybody who subscribes to a topic. */
export const publishMessage = async (
  client: Client,
  topic: string,
  type: string,
  options: SendOptions,
): Promise<void> => tell(await create(client, { to: { topic }, ...(await bodyOf(type, options)) }, options), options)

/** Sends a message to many agents. */
export const broadcastMessage = async (
  client: Client,
  type: string,
  options: SendOptions & ToOptions,
): Promise<void> => {
  const { agentType: types, label, capability } = options as ToOptions & { capability?: string }
  const filter = { types, labels: label && parseLabels(label), capability }
  tell(await create(client, { kind: 'broadcast', to: { filter }, ...(await bodyOf(type, options)) }, options), options)
}

/** Sends a request and prints its response; without one in time the exit code says so. */
export const requestMessage = async (
  client: Client,
  to: string,
  type: string,
  options: SendOptions & ToOptions & { wait: number },
): Promise<void> => {
  const body = { kind: 'request', to: recipientOf(to, options), ...(await bodyOf(type, options)) }
  const answer = await create(client, body, options, Math.min(options.wait, 25))
  if (answer.kind === 'request') {
    note(`no response yet; see devcycle messages show ${answer.id}`)
    process.exitCode = exitCodes.failed
  }
  if (options.json) printJson(answer)
  else if (answer.kind === 'response') printJson(answer.data ?? answer.dataRef)
}

const columns: Column[] = [
  { title: 'MESSAGE' },
  { title: 'KIND' },
  { title: 'STATE' },
  { title: 'TO' },
  { title: 'AGE', align: 'right' },
  { title: 'TYPE', cut: { at: 'end', least: 20 } },
]

/** Whom a message is to. */
export const toText = ({ to }: MessageResponse): string => {
  const [[kind, value] = ['', '']] = Object.entries(to ?? {})
  return kind === 'filter' ? 'agents' : plain(String(value))
}

type Filter = { kind?: string; type?: string; conversation?: string }

/** What of all options a list of messages is asked with. */
const filterOf = ({ kind, type, conversation }: Filter): Filter => ({ kind, type, conversation })

/** Messages as a table. */
export const listMessages = async (
  client: Client,
  { json, limit, cursor, ...options }: Shown & Filter & { limit: number; cursor?: string },
): Promise<void> => {
  const page = await client.get<Page>(`/messages${toQuery({ limit, cursor, ...filterOf(options) })}`)
  if (json) return printJson(page)
  const rows = page.items.map((one) => [one.id, one.kind, one.state, toText(one), ago(one.time), plain(one.type)])
  printTable(columns, rows, 'no messages')
  noteMore(page)
}

/** One message, and where it is. */
export const showMessage = async (client: Client, id: string, { json }: Shown): Promise<void> => {
  const message = await client.get<MessageResponse>(`/messages/${encodeURIComponent(id)}`)
  if (json) return printJson(message)
  const { response, letters = [] } = message
  printFields([
    ['id', message.id],
    ['kind', message.kind],
    ['type', plain(message.type)],
    ['source', plain(message.source)],
    ['to', toText(message)],
    ['state', message.state],
    ['expires', message.expiresAt],
    ['response', response && `${response.id}${response.late ? ' (late)' : ''}`],
    ['data', message.data === undefined ? message.dataRef?.$ref : plain(JSON.stringify(message.data))],
  ])
  for (const { inbox, state, receives, reason } of letters)
    print(plain(`${inbox}: ${state}, received ${receives} times${reason ? `: ${reason.code}: ${reason.message}` : ''}`))
}
