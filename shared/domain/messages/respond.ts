import type { Put, Stored } from '../../platform/platform.ts'
import { planBody } from '../bodies/body.ts'
import { type Caller, stamp } from '../caller.ts'
import { compete } from '../contention.ts'
import { DomainError } from '../domain-error.ts'
import { digest, idFromKey } from '../ids.ts'
import { findLetter } from '../inboxes/letter-store.ts'
import { letterIdOf } from '../inboxes/new-letter.ts'
import { requireContent } from '../objects/object-ref.ts'
import { bringResponse } from './bring-response.ts'
import type { MessagePorts } from './deliverers.ts'
import { agentOfCaller, mailboxOf } from './mailbox.ts'
import { defaultLifeMs, type Message } from './message.ts'
import { findMessage, getMessage, messagePk, messagePuts, putMessage } from './message-store.ts'
import { sourceOf } from './send-message.ts'

export type ResponseCommand = { type?: string; data: unknown; traceparent?: string }

/** A request has one response: its id follows from the request's. */
const responseIdOf = ({ tenant, id }: Message): string => idFromKey('msg', tenant, `response\n${id}`)

/**
 * Answers a request, once: the same again is the same response, another one is a conflict. One that comes after the
 * deadline is recorded as late, and reaches the mailbox that it was asked for in all the same.
 */
export const respond = async (
  ports: MessagePorts,
  caller: Caller,
  requestId: string,
  command: ResponseCommand,
): Promise<Message> => {
  const { tenant } = caller
  const request = await getMessage(ports, tenant, requestId)
  await requireRequest(ports, caller, request.value)
  await requireContent(ports, tenant, { value: command.data, pointer: '#/data' })
  const { response, items } = await buildResponse(ports, caller, request.value, command)
  const stored = await recordResponse(ports, { response, items, request })
  if (stored.sent !== response.sent)
    throw new DomainError('ALREADY_ANSWERED', `request ${requestId} was answered already, by message ${stored.id}`)
  await bringResponse(ports, tenant, stored.id)
  return stored
}

/** Only a request is answered, by whom it was sent to or by an administrator. */
const requireRequest = async (
  ports: MessagePorts,
  caller: Caller,
  { id, tenant, envelope }: Message,
): Promise<void> => {
  const own = await agentOfCaller(ports, caller)
  if (own && !(await findLetter(ports, tenant, letterIdOf(mailboxOf(own), id))))
    throw new DomainError('NOT_FOUND', `there is no message ${id}`)
  if (envelope.kind !== 'request')
    throw new DomainError(
      'CONFLICT',
      `message ${id} is of kind ${envelope.kind ?? 'event'}; only a request is answered`,
    )
}

const buildResponse = async (ports: MessagePorts, caller: Caller, request: Message, command: ResponseCommand) => {
  const { tenant } = caller
  const id = responseIdOf(request)
  const now = ports.clock.now()
  const by = stamp(caller, 'message.respond')
  const own = await agentOfCaller(ports, caller)
  const { conversation, replyTo, run } = request.envelope
  const isAwaited = replyTo !== undefined || request.step !== undefined
  const type = command.type ?? `${request.envelope.type}.response`
  const { body, items } = await planBody(ports, {
    tenant,
    pk: messagePk(tenant, id),
    sk: 'data',
    value: command.data,
    stamp: by,
  })
  const response: Message = {
    id,
    tenant,
    envelope: {
      id,
      kind: 'response',
      type,
      source: sourceOf(caller, own?.name),
      time: now,
      correlationId: request.id,
      ...(conversation !== undefined && { conversation }),
      ...(run !== undefined && { run }),
      ...(command.traceparent !== undefined && { traceparent: command.traceparent }),
      expiresAt: now + defaultLifeMs.response,
    },
    ...(replyTo !== undefined && { to: { agent: replyTo } }),
    ...(request.step && { step: request.step }),
    ...(isAwaited ? { state: 'PENDING', dueAt: now } : { state: 'SENT' }),
    data: body,
    hops: request.hops,
    ...(own && { from: own.id }),
    createdAt: now,
    sent: digest({ type, data: command.data }),
    stamp: by,
  }
  return { response, items }
}

type Recorded = { response: Message; items: Parameters<typeof messagePuts>[2]; request: Stored<Message> }

/** Stores a response together with the mark of it on its request. Answers the one that is stored. */
const recordResponse = (ports: MessagePorts, { response, items, request }: Recorded): Promise<Message> => {
  const { tenant, id } = request.value
  let current: Stored<Message> | undefined = request
  return compete<Message>(ports, `message ${id}`, async () => {
    const before = await findMessage(ports, tenant, response.id)
    if (before) return { done: before.value }
    current ??= await getMessage(ports, tenant, id)
    const { expiresAt = Number.POSITIVE_INFINITY } = current.value.envelope
    const at = response.createdAt
    const answered = { ...current.value, response: { id: response.id, at, late: at > expiresAt } }
    const mark: Put = putMessage(ports, answered, { rev: current.rev })
    const outcome = await ports.main.transact([...messagePuts(ports, response, items), mark])
    current = undefined
    return outcome.ok ? { done: response } : undefined
  })
}
