import type { Stamp } from '../caller.ts'
import type { WebhookSecret } from '../webhooks/webhook.ts'

export const hookSchemes = ['standard-webhooks', 'github'] as const
export type HookScheme = (typeof hookSchemes)[number]

/** An address to which another system posts signed webhooks; each becomes a message on a topic. */
export type Hook = {
  id: string
  tenant: string
  /** The end of its address: the same for nobody else. */
  name: string
  /** How a request is signed, and how its event is read. */
  scheme: HookScheme
  topic: string
  description?: string
  /** Newest first. They must be had to verify with. */
  secrets: WebhookSecret[]
  /** Digests of the keys of secrets that are over, newest first. */
  spentKeys?: string[]
  createdAt: number
  updatedAt: number
  /** Digest of what was asked for, to tell a repeated creation from another one. */
  created: string
  stamp: Stamp
}

/** A request as it came; names of headers are in lower case. */
export type HookRequest = { headers: Record<string, string>; body: string }
/** What a request says of itself. */
export type HookEvent = {
  /** The sender's id of it: the same when it is sent again. */
  delivery: string
  type: string
  subject?: string
  data: unknown
  /** The topics that it passed before it left a DevCycle. */
  passed?: string[]
}

/** How one scheme is verified and read. */
export type HookReader = {
  verify(secret: string, request: HookRequest): Promise<boolean>
  /** Refuses a body that is not of the scheme. */
  read(request: HookRequest): HookEvent
}
export type HookReaders = Readonly<Record<HookScheme, HookReader>>
