import type { Platform } from '../../platform/platform.ts'
import { type Caller, type Stamp, stamp } from '../caller.ts'
import { idFor } from '../ids.ts'
import { sendLetter } from '../inboxes/send-letter.ts'
import { inboxOf } from '../queues/queue.ts'
import { getQueue } from '../queues/queue-store.ts'
import { publish } from '../topics/publish.ts'
import type { Envelope } from './envelope.ts'

export type MessagePorts = Pick<Platform, 'main' | 'volatile' | 'objects' | 'queues' | 'clock' | 'random' | 'telemetry'>

/** To whom a message goes: exactly one kind. */
export type Recipient = { topic: string } | { queue: string }
export type RecipientKind = 'topic' | 'queue'
export const recipientKinds = ['topic', 'queue'] as const satisfies RecipientKind[]

export type Message = {
  tenant: string
  envelope: Envelope
  data: unknown
  /** The topics that it passed before. */
  passed: string[]
  /** Milliseconds. */
  endsAt?: number
  stamp: Stamp
}

type Of<Kind extends RecipientKind> = Extract<Recipient, Record<Kind, unknown>>
type Deliverer<To> = (ports: MessagePorts, message: Message, to: To) => Promise<unknown>

/** By kind of recipient: keeps a message for it, once however often it is called. */
const deliverers: { [Kind in RecipientKind]: Deliverer<Of<Kind>> } = {
  topic: (ports, { tenant, stamp: by, ...message }, { topic }) => publish(ports, tenant, { ...message, topic }, by),
  queue: async (ports, { tenant, envelope, data, passed: hops, endsAt, stamp: by }, { queue }) => {
    const inbox = inboxOf((await getQueue(ports, tenant, queue)).value)
    await sendLetter(ports, inbox, { key: envelope.id, envelope, data, hops, endsAt }, by)
  },
}

export type SendCommand = Pick<Envelope, 'type' | 'subject' | 'traceparent'> & {
  to: Recipient
  source?: string
  data: unknown
  passed: string[]
  endsAt?: number
  idempotencyKey?: string
}

/** Where a message comes from that does not say it. */
const sourceOf = ({ principal }: Caller): string => {
  if (principal.kind === 'anyone') return '/'
  return principal.kind === 'host' ? `/agents/${principal.agent}` : `/${principal.kind}s/${principal.id}`
}

/** Keeps a message for whom it is to. Under its idempotency key the same again is the same message. */
export const sendMessage = async (
  ports: MessagePorts,
  caller: Caller,
  { to, source, type, subject, traceparent, idempotencyKey, ...rest }: SendCommand,
): Promise<Message> => {
  const { tenant } = caller
  const id = idFor('msg', tenant, idempotencyKey, ports)
  const time = ports.clock.now()
  const envelope = { id, source: source ?? sourceOf(caller), type, subject, traceparent, time }
  const message = { tenant, envelope, ...rest, stamp: stamp(caller, 'message.send') }
  const kind = recipientKinds.find((one) => one in to) as RecipientKind
  await (deliverers[kind] as Deliverer<Recipient>)(ports, message, to)
  return message
}
