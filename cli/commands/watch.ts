import type { AgentResponse } from '#shared/contracts/agents.ts'
import type { ServerFrame } from '#shared/contracts/realtime.ts'
import type { Client } from '../client/client.ts'
import { ApiError } from '../client/errors.ts'
import { type Wish, watchChanges } from '../client/socket.ts'
import { interruptible } from '../interrupt.ts'
import { note, print } from '../render/print.ts'
import { plain } from '../render/terminal.ts'
import { clockTime } from '../render/time.ts'

type Topic = Wish['topic']
type Entity = Record<string, unknown>

/** What stands on the line of an entity, besides its id. */
const fields: Partial<Record<Topic, string[]>> = {
  tasks: ['status', 'agent', 'capability'],
  agents: ['state', 'name', 'version'],
  approvals: ['state', 'task', 'prompt'],
  runs: ['state', 'workflow', 'version'],
  schedules: ['state', 'name', 'nextRunAt'],
}

/** Prints what changes of a topic until it is interrupted. */
export const watchTopic = (
  client: Client,
  { topic, id }: { topic: string; id?: string },
  { json }: { json?: boolean },
): Promise<void> =>
  interruptible(
    (signal) => watch(client, { topic: topic as Topic, id }, { json, signal }),
    () => 'it goes on without being watched',
  )

const watch = async (
  client: Client,
  { topic, id }: Wish,
  { json, signal }: { json?: boolean; signal: AbortSignal },
): Promise<void> => {
  const onLost = (error: Error): void => note(`${error.message}; trying again`)
  const wish = { topic, ...(id !== undefined && { id: await idOf(client, topic, id) }) }
  for await (const frame of watchChanges(client, wish, { signal, onLost })) {
    if (json) print(JSON.stringify(frame))
    else await show(client, topic, frame)
  }
}

/** Agents go by their names. */
const idOf = async (client: Client, topic: Topic, id: string): Promise<string> =>
  topic === 'agents' && !id.startsWith('agt_')
    ? (await client.get<AgentResponse>(`/agents/${encodeURIComponent(id)}`)).id
    : id

const show = async (client: Client, topic: Topic, frame: ServerFrame): Promise<void> => {
  if (frame.type === 'subscribed') note(`watching ${frame.id ?? topic}`)
  if (frame.type === 'resync') note('something may have been missed while the connection was lost')
  if (frame.type === 'presence') print(presenceLine(frame))
  if (frame.type === 'message') print(messageLine(frame))
  if (frame.type === 'changed') print(await lineOf(client, topic, frame.id))
}

const presenceLine = ({ since, who, status }: Extract<ServerFrame, { type: 'presence' }>): string =>
  [clockTime(since), plain(who), status === null ? 'gone' : plain(status)].join('  ')

const messageLine = ({ message, dataRef }: Extract<ServerFrame, { type: 'message' }>): string =>
  [clockTime(message.time), message.id, plain(message.type), plain(JSON.stringify(dataRef ?? message.data))].join('  ')

const lineOf = async (client: Client, topic: Topic, id: string): Promise<string> => {
  const entity = fields[topic] === undefined ? {} : await readEntity(client, topic, id)
  const values = (fields[topic] ?? []).flatMap((name) => entity[name] ?? []).map((value) => plain(String(value)))
  return [clockTime(new Date().toISOString()), id, ...values].join('  ')
}

/** What is gone since says so. */
const readEntity = (client: Client, topic: Topic, id: string): Promise<Entity> =>
  client.get<Entity>(`/${topic}/${id}`).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404) return { state: 'DELETED', status: 'DELETED' }
    throw error
  })
