import type { Body } from '../bodies/body.ts'
import type { Stamp } from '../caller.ts'
import type { Envelope, MessageKind } from './envelope.ts'

/** Which agents a broadcast is for: those that meet all that is named. */
export type AgentChoice = { types?: string[]; labels?: Record<string, string>; capability?: string }

/** Whom a message is for: exactly one kind. */
export type Recipient =
  | { agent: string }
  | { capability: string }
  | { topic: string }
  | { queue: string }
  | { filter: AgentChoice }
export const recipientKinds = ['agent', 'capability', 'topic', 'queue', 'filter'] as const
export type RecipientKind = (typeof recipientKinds)[number]

/** Which kind of recipient it is. */
export const kindOfRecipient = (to: Recipient): RecipientKind =>
  recipientKinds.find((kind) => kind in to) as RecipientKind

/** To whom each kind of message may go. */
export const recipientsOfKind: Record<MessageKind, readonly RecipientKind[]> = {
  event: ['agent', 'capability', 'topic', 'queue'],
  request: ['agent', 'capability'],
  response: ['agent'],
  broadcast: ['filter'],
  workflow: ['agent', 'capability', 'topic', 'queue'],
}

/** How far a broadcast has come: agents that registered after it began get none. */
export type Spread = { cursor?: string; recipients: number }

/** The record of a message. Times in milliseconds. */
export type Message = {
  id: string
  tenant: string
  envelope: Envelope
  /** Absent: a response that nobody's mailbox waits for. */
  to?: Recipient
  data: Body
  /** Topics and agents that it passed, the last one last. */
  hops: string[]
  /** `PENDING`: not everybody whom it is for has it yet. */
  state: 'PENDING' | 'SENT'
  spread?: Spread
  /** Of a request. */
  response?: { id: string; at: number; late: boolean }
  /** The step of a run that waits for the response: of a request, and of the response. */
  step?: { run: string; id: string }
  /** The agent that sent it. */
  from?: string
  dueAt?: number
  createdAt: number
  /** Digest of what was sent, to tell a repetition from another message. */
  sent: string
  stamp: Stamp
}

const day = 24 * 3_600_000
/** How long a message is worth something unless it says so, and at most. */
export const defaultLifeMs: Record<MessageKind, number> = {
  event: 7 * day,
  request: day,
  response: 7 * day,
  broadcast: 7 * day,
  workflow: 7 * day,
}
export const longestLifeMs = 7 * day
