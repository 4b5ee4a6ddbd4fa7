import type { Item, Key, Page, Platform, Put, Stored } from '../../platform/platform.ts'
import { changeStored, saveItem } from '../contention.ts'
import { dueIndex } from '../dispatch/due.ts'
import { DomainError } from '../domain-error.ts'
import { newRev } from '../ids.ts'
import { keepMs } from '../inboxes/letter-store.ts'
import { sortableTime } from '../keys.ts'
import { writeAll } from '../write-all.ts'
import type { Message } from './message.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

/** What a message's data is kept under. */
export const messagePk = (tenant: string, id: string): string => `${tenant}#message#${id}`
export const messageKey = (tenant: string, id: string): Key => ({ pk: messagePk(tenant, id), sk: 'head' })
const messagesPk = (tenant: string): string => `${tenant}#messages`

/** A message is forgotten with the last letter that it may have become. */
const forgottenAt = ({ createdAt, envelope }: Message): number => Math.max(createdAt, envelope.expiresAt ?? 0) + keepMs

const messageItem = (message: Message): Item<Message> => {
  const { tenant, id, createdAt, dueAt } = message
  return {
    ...messageKey(tenant, id),
    type: 'message',
    value: message,
    index: {
      list: { pk: messagesPk(tenant), sk: `${sortableTime(createdAt)}#${id}` },
      ...(dueAt !== undefined && { due: dueIndex(dueAt, tenant, id) }),
    },
    expiresAt: forgottenAt(message),
  }
}

export const putMessage = (ports: Ports, message: Message, expect: Put['expect']): Put => ({
  op: 'put',
  item: messageItem(message),
  expect,
  rev: newRev(ports),
})

/** What stores a new message with its data. */
export const messagePuts = (ports: Ports, message: Message, items: Item[]): [Put, ...Put[]] => [
  putMessage(ports, message, 'absent'),
  ...items.map((item): Put => {
    const own = item.pk === messagePk(message.tenant, message.id) // objects are kept as objects are
    return { op: 'put', item: own ? { ...item, expiresAt: forgottenAt(message) } : item, expect: 'any' }
  }),
]

export const findMessage = (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  id: string,
): Promise<Stored<Message> | undefined> => main.get<Message>(messageKey(tenant, id))

/** The message, or `NOT_FOUND`. */
export const getMessage = async (
  ports: Pick<Platform, 'main'>,
  tenant: string,
  id: string,
): Promise<Stored<Message>> => {
  const found = await findMessage(ports, tenant, id)
  if (found === undefined) throw new DomainError('NOT_FOUND', `there is no message ${id}`)
  return found
}

/** Stores a new message. `undefined`: stored; else the one that has this id already. */
export const createMessage = async (ports: Ports, message: Message, items: Item[]): Promise<Message | undefined> => {
  const outcome = await writeAll(ports.main, messagePuts(ports, message, items))
  return outcome.ok ? undefined : (outcome.conflicts[0]?.current as Stored<Message> | undefined)?.value
}

/** Saves a changed message if nobody else did; `undefined`: somebody did. */
export const saveMessage = (ports: Ports, found: Pick<Stored, 'rev'>, message: Message) =>
  saveItem(ports, found, messageItem(message))

/** Loads, changes and saves until no one else came first. */
export const changeMessage = (
  ports: Ports,
  start: Stored<Message>,
  change: (message: Message) => Message,
): Promise<Stored<Message>> =>
  changeStored(ports, { table: ports.main, start, what: `message ${start.value.id}` }, change, messageItem)

/** Newest first. */
export const listMessages = (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  page: { limit: number; cursor?: string },
): Promise<Page<Message>> =>
  main.query<Message>({ index: 'list', pk: messagesPk(tenant), order: 'descending', ...page })
