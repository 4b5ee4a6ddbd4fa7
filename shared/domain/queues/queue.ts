import type { Stamp } from '../caller.ts'
import type { Inbox } from '../inboxes/letter.ts'

/** A named queue: each message goes to one of those who receive from it. */
export type Queue = {
  id: string
  tenant: string
  name: string
  visibilitySeconds: number
  /** A message that was received so often and never acknowledged is a dead letter. */
  maxReceives: number
  description?: string
  createdAt: number
  /** Digest of what was asked for, to tell a repeated creation from another one. */
  created: string
  stamp: Stamp
}

/** Messages that wait in one queue at most. */
export const mostMessages = 100_000

/** Where the messages of a queue are. */
export const inboxOf = ({ tenant, id, name, visibilitySeconds, maxReceives }: Queue): Inbox => ({
  tenant,
  id,
  name,
  visibilityMs: visibilitySeconds * 1000,
  mostReceives: maxReceives,
  most: mostMessages,
})
