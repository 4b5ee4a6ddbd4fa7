import type { CloudEvent } from '../../platform/platform.ts'
import type { FieldError } from '../domain-error.ts'

/** What whoever watches is told. `rev` is the one that the entity had then, or has since. */
export type Changed = { type: 'changed'; topic: string; id: string; rev: string }
/** Something may have been missed: read again what is shown. Without a topic all of it. */
export type Resync = { type: 'resync'; topic?: string; id?: string }
/** `rev` is the one of the entity, or the time of the subscription; `ref` the caller's own name of the frame. */
export type Subscribed = { type: 'subscribed'; topic: string; id?: string; rev: string; ref?: string }
export type Unsubscribed = { type: 'unsubscribed'; topic: string; id?: string; ref?: string }
/** A message on a topic. `seq` is its place there, to go on after; large data is told by reference. */
export type MessageFrame = ShownMessage & { type: 'message'; topic: string; seq: string }
/** A message as it is told: large data by reference. */
export type ShownMessage = { message: CloudEvent; dataRef?: { $ref: string } }
/** The response to a request that the client sent. */
export type Response = ShownMessage & { type: 'response'; request: string; ref?: string }
/** The deadline of a request has passed without a response. */
export type Unanswered = { type: 'unanswered'; request: string; ref?: string }
/** How many messages of a mailbox follow, each kept from others until it is acknowledged. */
export type Received = { type: 'received'; agent: string; count: number; ref?: string }
export type Mail = {
  type: 'mail'
  agent: string
  position: string
  receives: number
  visibleAt: string
  message: CloudEvent
}
/** Messages of a mailbox that are done and never come again. */
export type Acknowledged = { type: 'acknowledged'; agent: string; ids: string[]; ref?: string }
/** What a connection says of itself; with the status `null` it is gone, or says nothing more. */
export type PresenceFrame = {
  type: 'presence'
  connection: string
  who: string
  status: string | null
  since: string
  ref?: string
}
/** There is work for an agent: ask for it. */
export type Work = { type: 'work'; agent: string }
export type Pong = { type: 'pong'; ref?: string }
export type Failed = {
  type: 'error'
  code: string
  message: string
  pointer?: string
  errors?: FieldError[]
  ref?: string
}

/** A message that the client sent was stored. */
export type Sent = { type: 'sent'; message: unknown; ref?: string }

/** Everything that a client of a socket is sent. */
export type ServerFrame =
  | Changed
  | Resync
  | Subscribed
  | Unsubscribed
  | MessageFrame
  | Sent
  | Response
  | Unanswered
  | Received
  | Mail
  | Acknowledged
  | PresenceFrame
  | Work
  | Pong
  | Failed
