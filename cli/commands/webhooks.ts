import type { DeliveryResponse, WebhookResponse } from '#shared/contracts/webhooks.ts'
import type { Client } from '../client/client.ts'
import { toQuery } from '../client/query.ts'
import { parseLabels } from '../input/task-input.ts'
import { note, noteMore, print, printFields, printJson, printTable } from '../render/print.ts'
import type { Column } from '../render/table.ts'
import { plain } from '../render/terminal.ts'
import { ago } from '../render/time.ts'

type Shown = { json?: boolean }
type Page<T> = { items: T[]; nextCursor: string | null }

export type CreateWebhookOptions = Shown & {
  event?: string[]
  capability?: string
  label?: string[]
  description?: string
  idempotencyKey?: string
}

const tellSecret = ({ id, secret }: WebhookResponse): void => {
  printFields([
    ['id', id],
    ['secret', secret],
  ])
  note(secret ? 'keep the secret: it is not shown again' : 'it was made before; its secret is not shown again')
}

/** Makes a webhook. */
export const createWebhook = async (client: Client, url: string, options: CreateWebhookOptions): Promise<void> => {
  const { event: events, capability, description, idempotencyKey, json } = options
  const labels = options.label && parseLabels(options.label)
  const headers = idempotencyKey === undefined ? undefined : { 'idempotency-key': idempotencyKey }
  const body = { url, events, capability, labels, description }
  const webhook = await client.create<WebhookResponse>('/webhooks', body, { headers })
  if (json) printJson(webhook)
  else tellSecret(webhook)
}

const pathOf = (id: string): string => `/webhooks/${encodeURIComponent(id)}`

/** `key:value`, as labels are given. */
const describeLabels = ({ labels }: WebhookResponse): string | undefined =>
  labels &&
  plain(
    Object.entries(labels)
      .map((pair) => pair.join(':'))
      .join(', '),
  )

/** One webhook. */
export const getWebhook = async (client: Client, id: string, { json }: Shown): Promise<void> => {
  const webhook = await client.get<WebhookResponse>(pathOf(id))
  if (json) return printJson(webhook)
  printFields([
    ['id', webhook.id],
    ['url', plain(webhook.url)],
    ['events', webhook.events.join(', ')],
    ['capability', webhook.capability],
    ['labels', describeLabels(webhook)],
    ['description', webhook.description && plain(webhook.description)],
    [
      'state',
      [webhook.state, webhook.disabledReason && `(${plain(webhook.disabledReason)})`].filter(Boolean).join(' '),
    ],
    ['secrets', webhook.previousSecretUntil && `the one before signs as well until ${webhook.previousSecretUntil}`],
    ['created', webhook.createdAt],
  ])
}

const columns: Column[] = [
  { title: 'WEBHOOK' },
  { title: 'STATE' },
  { title: 'EVENTS', cut: { at: 'end', least: 12 } },
  { title: 'AGE', align: 'right' },
  { title: 'URL', cut: { at: 'end', least: 24 } },
]

const toRow = ({ id, state, events, createdAt, url }: WebhookResponse): string[] => [
  id,
  state,
  events.join(', '),
  ago(createdAt),
  plain(url),
]

type ListOptions = Shown & { limit: number; cursor?: string }

/** Webhooks as a table. */
export const listWebhooks = async (client: Client, { limit, cursor, json }: ListOptions): Promise<void> => {
  const page = await client.get<Page<WebhookResponse>>(`/webhooks${toQuery({ limit, cursor })}`)
  if (json) return printJson(page)
  printTable(columns, page.items.map(toRow), 'no webhooks')
  noteMore(page)
}

const setState = async (client: Client, id: string, state: string, { json }: Shown): Promise<void> => {
  const webhook = await client.request<WebhookResponse>('PATCH', pathOf(id), { body: { state } })
  if (json) printJson(webhook)
  else print(`${id} is ${webhook.state}`)
}

/** Delivers to it again. */
export const enableWebhook = (client: Client, id: string, shown: Shown): Promise<void> =>
  setState(client, id, 'ACTIVE', shown)

/** Delivers nothing to it. */
export const disableWebhook = (client: Client, id: string, shown: Shown): Promise<void> =>
  setState(client, id, 'DISABLED', shown)

/** Gives it a new secret. */
export const rotateSecret = async (client: Client, id: string, { json }: Shown): Promise<void> => {
  const webhook = await client.request<WebhookResponse>('POST', `${pathOf(id)}/rotate-secret`)
  if (json) printJson(webhook)
  else tellSecret(webhook)
}

/** Deletes a webhook. */
export const deleteWebhook = async (client: Client, id: string, { json }: Shown): Promise<void> => {
  await client.request('DELETE', pathOf(id))
  if (!json) print(`${id} is deleted`)
}

const deliveryColumns: Column[] = [
  { title: 'DELIVERY' },
  { title: 'STATE' },
  { title: 'EVENT' },
  { title: 'SUBJECT' },
  { title: 'TRIES', align: 'right' },
  { title: 'AGE', align: 'right' },
  { title: 'ANSWER', cut: { at: 'end', least: 16 } },
]

type Told = { type?: string; subject?: string }

/** Of the last attempt: its status, or why there was none. */
const describeAnswer = ({ attempts }: DeliveryResponse): string => {
  const { status, error, answer = '' } = attempts.at(-1) ?? {}
  return plain(error ?? [status, answer].filter((part) => part !== undefined && part !== '').join(' ')) || '-'
}

const toDeliveryRow = (delivery: DeliveryResponse): string[] => {
  const { type = '-', subject = '-' } = delivery.event as Told
  const { id, state, attempts, createdAt } = delivery
  return [
    id,
    state,
    type.replace(/^io\.devcycle\.|\.v\d+$/g, ''),
    subject,
    String(attempts.length),
    ago(createdAt),
    describeAnswer(delivery),
  ]
}

/** Deliveries as a table. */
export const listDeliveries = async (client: Client, id: string, options: ListOptions): Promise<void> => {
  const { limit, cursor, json } = options
  const page = await client.get<Page<DeliveryResponse>>(`${pathOf(id)}/deliveries${toQuery({ limit, cursor })}`)
  if (json) return printJson(page)
  printTable(deliveryColumns, page.items.map(toDeliveryRow), 'no deliveries')
  noteMore(page)
}

/** Sends a delivery once more. */
export const redeliver = async (
  client: Client,
  [webhook, delivery]: [webhook: string, delivery: string],
  { json }: Shown,
): Promise<void> => {
  const path = `${pathOf(webhook)}/deliveries/${encodeURIComponent(delivery)}/redeliver`
  const sent = await client.request<DeliveryResponse>('POST', path)
  if (json) printJson(sent)
  else print(`${delivery} is on its way`)
}
