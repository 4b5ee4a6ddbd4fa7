import type { Item, Platform } from '../../platform/platform.ts'
import { loadBody } from '../bodies/body.ts'
import { remind } from '../dispatch/due.ts'
import { findTarget } from '../dispatch/find-target.ts'
import { DomainError } from '../domain-error.ts'
import type { Inbox } from '../inboxes/letter.ts'
import { inboxOf } from '../queues/queue.ts'
import { getQueue } from '../queues/queue-store.ts'
import { type Carrier, deliverMessage } from './deliver-message.ts'
import { mailboxOf, openMailbox } from './mailbox.ts'
import { kindOfRecipient, type Message, type Recipient, type RecipientKind } from './message.ts'
import { createMessage, messagePk, messagePuts } from './message-store.ts'
import { publishMessage } from './publish-message.ts'

export type MessagePorts = Omit<Platform, 'feed' | 'bus' | 'hosts' | 'generation'>
type Of<Kind extends RecipientKind> = Extract<Recipient, Record<Kind, unknown>>
type Outgoing<To extends Recipient> = { message: Message; to: To; items: Item[]; data: unknown }
/** Stores a message with its data and brings it to whom it is for. It may be done again. */
type Deliver<Kind extends RecipientKind> = (ports: MessagePorts, outgoing: Outgoing<Of<Kind>>) => Promise<unknown>

export const carrierOf = (message: Message): Carrier => ({
  ...message,
  dataPk: messagePk(message.tenant, message.id),
})

/** The record and the letter are written together: a message that is there is in its inbox. */
const toInbox = (ports: MessagePorts, { message, items }: Outgoing<Recipient>, inbox: Inbox): Promise<boolean> => {
  const sent: Message = { ...message, dueAt: message.envelope.expiresAt }
  return deliverMessage(ports, carrierOf(sent), inbox, messagePuts(ports, sent, items))
}

const toAgent: Deliver<'agent'> = async (ports, outgoing) =>
  toInbox(ports, outgoing, await openMailbox(ports, outgoing.message.tenant, outgoing.to.agent))

/** To the agent that a task of the capability would go to. */
const toCapability: Deliver<'capability'> = async (ports, outgoing) => {
  const { message, to } = outgoing
  const { agent } = await findTarget(ports, message.tenant, to.capability, { labels: {}, root: message.id })
  if (agent === undefined) throw new DomainError('NOT_FOUND', `no agent offers ${to.capability}`)
  return toInbox(ports, outgoing, mailboxOf(agent))
}

const toQueue: Deliver<'queue'> = async (ports, outgoing) =>
  toInbox(ports, outgoing, inboxOf((await getQueue(ports, outgoing.message.tenant, outgoing.to.queue)).value))

const toTopic: Deliver<'topic'> = (ports, { message, to, items, data }) => {
  const { envelope, hops: passed } = message
  return publishMessage(ports, message, items, { topic: to.topic, envelope, data, passed })
}

/** To many, page by page, after it is stored. */
const toFilter: Deliver<'filter'> = async (ports, { message, items }) => {
  const now = ports.clock.now()
  const { tenant, id } = message
  await createMessage(ports, { ...message, state: 'PENDING', spread: { recipients: 0 }, dueAt: now }, items)
  await remind(ports, { tenant, id, at: now })
}

const deliverers: { [Kind in RecipientKind]: Deliver<Kind> } = {
  agent: toAgent,
  capability: toCapability,
  topic: toTopic,
  queue: toQueue,
  filter: toFilter,
}

/** Stores a new message and brings it to whom it is for; one that is there already stays as it is. */
export const deliverOut = async (
  ports: MessagePorts,
  message: Message,
  items: Item[],
  data: unknown,
): Promise<void> => {
  const { to } = message
  if (to === undefined) return void (await createMessage(ports, message, items))
  const deliver = deliverers[kindOfRecipient(to)] as Deliver<RecipientKind>
  await deliver(ports, { message, to: to as never, items, data })
}

/** The data of a message as it was sent. */
export const loadData = (ports: Pick<Platform, 'main' | 'objects'>, { tenant, id, data }: Message): Promise<unknown> =>
  loadBody(ports, { tenant, pk: messagePk(tenant, id), body: data })
