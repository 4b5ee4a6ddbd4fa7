import { findAgent } from '../agents/agent-store.ts'
import { planBody } from '../bodies/body.ts'
import { type Caller, stamp } from '../caller.ts'
import { DomainError, invalid } from '../domain-error.ts'
import { digest, idFor } from '../ids.ts'
import { requireContent } from '../objects/object-ref.ts'
import { deliverOut, type MessagePorts } from './deliverers.ts'
import type { Envelope, MessageKind } from './envelope.ts'
import { agentOfCaller } from './mailbox.ts'
import {
  defaultLifeMs,
  kindOfRecipient,
  longestLifeMs,
  type Message,
  type Recipient,
  recipientsOfKind,
} from './message.ts'
import { findMessage, getMessage, messagePk } from './message-store.ts'
import { passOnTo } from './pass-on.ts'

/** What a sender says; absent fields are the platform's to say. Times in milliseconds. */
export type SendCommand = Pick<
  Envelope,
  'type' | 'subject' | 'conversation' | 'correlationId' | 'replyTo' | 'expiresAt' | 'traceparent' | 'run'
> & {
  kind: Exclude<MessageKind, 'response'>
  to: Recipient
  data: unknown
  source?: string
  /** What the message that this one follows from has passed. */
  passed: string[]
  /** The step of a run that waits for the response. */
  step?: Message['step']
  idempotencyKey?: string
}

/** Keeps a message for whom it is to. Under its idempotency key the same again is the same message. */
export const sendMessage = async (
  ports: MessagePorts,
  caller: Caller,
  { idempotencyKey, ...command }: SendCommand,
): Promise<Message> => {
  const { tenant } = caller
  const id = idFor('msg', tenant, idempotencyKey, ports)
  const sent = digest({ ...command, traceparent: undefined })
  const before = idempotencyKey === undefined ? undefined : await findMessage(ports, tenant, id)
  if (before) return sameOrConflict(before.value, sent)
  requireSense(command, ports.clock.now())
  await requireReplyTo(ports, tenant, command)
  await requireContent(ports, tenant, { value: command.data, pointer: '#/data' })
  const { message, items } = await buildMessage(ports, caller, { id, sent, command })
  await deliverOut(ports, message, items, command.data)
  const stored = await getMessage(ports, tenant, id)
  return sameOrConflict(stored.value, sent)
}

const sameOrConflict = (message: Message, sent: string): Message => {
  if (message.sent === sent) return message
  throw new DomainError('IDEMPOTENCY_CONFLICT', `message ${message.id} was sent under this key with another body`)
}

const requireSense = ({ kind, to, expiresAt }: Omit<SendCommand, 'idempotencyKey'>, now: number): void => {
  const possible = recipientsOfKind[kind]
  if (!possible.includes(kindOfRecipient(to)))
    throw invalid('#/to', 'RECIPIENT', `a message of kind ${kind} goes to ${possible.join(', ')}`)
  if (expiresAt !== undefined && expiresAt <= now)
    throw invalid('#/expiresAt', 'PAST', `${new Date(expiresAt).toISOString()} has passed; give a time ahead`)
  if (expiresAt !== undefined && expiresAt > now + longestLifeMs)
    throw invalid('#/expiresAt', 'TOO_LATE', `a message lives ${longestLifeMs / 86_400_000} days at most`)
}

/** A response would get lost on its way to nobody. */
const requireReplyTo = async (
  ports: MessagePorts,
  tenant: string,
  { kind, replyTo }: Pick<SendCommand, 'kind' | 'replyTo'>,
): Promise<void> => {
  if (kind === 'request' && replyTo !== undefined && (await findAgent(ports, tenant, replyTo)) === undefined)
    throw invalid('#/replyTo', 'NOT_FOUND', `there is no agent ${replyTo} that could be replied to`)
}

type Plan = { id: string; sent: string; command: Omit<SendCommand, 'idempotencyKey'> }

const buildMessage = async (ports: MessagePorts, caller: Caller, { id, sent, command }: Plan) => {
  const { tenant } = caller
  const { kind, to, data, source, passed, step, expiresAt, ...attributes } = command
  const now = ports.clock.now()
  const by = stamp(caller, 'message.send')
  const [{ body, items }, from] = await Promise.all([
    planBody(ports, { tenant, pk: messagePk(tenant, id), sk: 'data', value: data, stamp: by }),
    agentOfCaller(ports, caller),
  ])
  const envelope: Envelope = {
    ...attributes,
    id,
    kind,
    source: from ? sourceOf(caller, from.name) : (source ?? sourceOf(caller, undefined)),
    time: now,
    expiresAt: expiresAt ?? ('topic' in to ? undefined : now + defaultLifeMs[kind]),
  }
  const message: Message = {
    id,
    tenant,
    envelope,
    to,
    data: body,
    hops: passOnTo(passed, to),
    state: 'SENT',
    ...(step && { step }),
    ...(from && { from: from.id }),
    createdAt: now,
    sent,
    stamp: by,
  }
  return { message, items }
}

/** Where a message comes from that does not say it. */
export const sourceOf = ({ principal }: Caller, agent: string | undefined): string => {
  if (agent !== undefined) return `/agents/${agent}`
  if (principal.kind === 'anyone') return '/'
  return principal.kind === 'host' ? `/agents/${principal.agent}` : `/${principal.kind}s/${principal.id}`
}
