import type { MatchResponse, ReplayResponse, SubscriptionResponse } from '#shared/contracts/topics.ts'
import type { Client } from '../client/client.ts'
import { toQuery } from '../client/query.ts'
import { parseLabels, readJson } from '../input/task-input.ts'
import { noteMore, print, printFields, printJson, printTable } from '../render/print.ts'
import type { Column } from '../render/table.ts'
import { plain } from '../render/terminal.ts'
import { ago } from '../render/time.ts'

type Shown = { json?: boolean }
type Page<T> = { items: T[]; nextCursor: string | null }
type ListOptions = Shown & { limit: number; cursor?: string }

export type CreateSubscriptionOptions = Shown & {
  pattern?: string
  capability?: string
  workflow?: string
  workflowVersion?: string
  input?: string
  priority?: string
  label?: string[]
  webhook?: string
  agent?: string
  queue?: string
  toTopic?: string
  bus?: true
  socket?: true
  description?: string
  idempotencyKey?: string
}

const pathOf = (id: string): string => `/subscriptions/${encodeURIComponent(id)}`
const keyed = (key: string | undefined) => ({ headers: key === undefined ? undefined : { 'idempotency-key': key } })

/** Makes a subscription. */
export const createSubscription = async (
  client: Client,
  topic: string,
  options: CreateSubscriptionOptions,
): Promise<void> => {
  const {
    capability,
    workflow,
    workflowVersion: version,
    input,
    priority,
    label,
    webhook,
    agent,
    queue,
    toTopic,
    bus,
    socket,
    description,
    idempotencyKey,
    json,
  } = options
  const pattern = await readJson(options.pattern, '--pattern')
  const labels = label && parseLabels(label)
  const target = {
    capability,
    workflow,
    version,
    input,
    priority,
    labels,
    webhook,
    agent,
    queue,
    topic: toTopic,
    bus,
    socket,
  }
  const body = { topic, pattern, target, description }
  const made = await client.create<SubscriptionResponse>('/subscriptions', body, keyed(idempotencyKey))
  if (json) printJson(made)
  else print(made.id)
}

/** `capability code.review`, `topic next`, `bus`. */
const describeTarget = ({ target }: SubscriptionResponse): string => {
  const kind =
    ['capability', 'workflow', 'webhook', 'agent', 'queue', 'topic', 'bus', 'socket'].find((one) => one in target) ??
    '-'
  return target[kind] === true ? kind : `${kind} ${plain(String(target[kind]))}`
}

/** One subscription. */
export const getSubscription = async (client: Client, id: string, { json }: Shown): Promise<void> => {
  const found = await client.get<SubscriptionResponse>(pathOf(id))
  if (json) return printJson(found)
  printFields([
    ['id', found.id],
    ['topic', found.topic],
    ['pattern', found.pattern && plain(JSON.stringify(found.pattern))],
    ['target', describeTarget(found)],
    ['description', found.description && plain(found.description)],
    ['created', found.createdAt],
  ])
}

const columns: Column[] = [
  { title: 'SUBSCRIPTION' },
  { title: 'TOPIC' },
  { title: 'TARGET', cut: { at: 'end', least: 16 } },
  { title: 'AGE', align: 'right' },
  { title: 'PATTERN', cut: { at: 'end', least: 16 } },
]

const toRow = (one: SubscriptionResponse): string[] => [
  one.id,
  one.topic,
  describeTarget(one),
  ago(one.createdAt),
  one.pattern ? plain(JSON.stringify(one.pattern)) : '-',
]

/** Subscriptions as a table. */
export const listSubscriptions = async (client: Client, { limit, cursor, json }: ListOptions): Promise<void> => {
  const page = await client.get<Page<SubscriptionResponse>>(`/subscriptions${toQuery({ limit, cursor })}`)
  if (json) return printJson(page)
  printTable(columns, page.items.map(toRow), 'no subscriptions')
  noteMore(page)
}

/** Deletes a subscription. */
export const deleteSubscription = async (client: Client, id: string, { json }: Shown): Promise<void> => {
  await client.request('DELETE', pathOf(id))
  if (!json) print(`${id} is deleted`)
}

const matchColumns: Column[] = [
  { title: 'MATCH' },
  { title: 'STATE' },
  { title: 'MESSAGE' },
  { title: 'TRIES', align: 'right' },
  { title: 'AGE', align: 'right' },
  { title: 'BECAME', cut: { at: 'end', least: 16 } },
]

const toMatchRow = ({ id, state, message, tries, createdAt, became, reason }: MatchResponse): string[] => [
  id,
  state,
  message,
  String(tries),
  ago(createdAt),
  plain(became ?? (reason ? `${reason.code}: ${reason.message}` : '-')),
]

/** What a subscription matched, as a table. */
export const listMatches = async (
  client: Client,
  id: string,
  { limit, cursor, dead, json }: ListOptions & { dead?: boolean },
): Promise<void> => {
  const query = toQuery({ limit, cursor, state: dead ? 'DEAD' : undefined })
  const page = await client.get<Page<MatchResponse>>(`${pathOf(id)}/matches${query}`)
  if (json) return printJson(page)
  printTable(matchColumns, page.items.map(toMatchRow), dead ? 'no dead letters' : 'no matches')
  noteMore(page)
}

/** Tries the dead letters of a subscription again. */
export const redriveMatches = async (client: Client, id: string, { json }: Shown): Promise<void> => {
  const body = { limit: 200 }
  const answer = await client.request<{ redriven: number }>('POST', `${pathOf(id)}/redrive`, { body })
  if (json) printJson(answer)
  else print(`${answer.redriven} on their way again`)
}

const lookEveryMs = 200
/** What is kept, less what a request takes. */
const aDay = 86_400 - 60

/** Gives a subscription messages again, and waits for the end of that. */
export const replay = async (
  client: Client,
  id: string,
  { from, last = aDay, idempotencyKey, json }: Shown & { from?: string; last?: number; idempotencyKey?: string },
): Promise<void> => {
  const body = { from: from ?? new Date(Date.now() - last * 1000).toISOString() }
  let one = await client.create<ReplayResponse>(`${pathOf(id)}/replay`, body, keyed(idempotencyKey))
  while (one.state === 'RUNNING') {
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
    one = await client.get<ReplayResponse>(`${pathOf(id)}/replays/${one.id}`)
  }
  if (json) printJson(one)
  else print(`${one.matched} given again`)
}
