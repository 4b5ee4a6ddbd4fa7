import type { Body } from '../bodies/body.ts'
import type { Stamp } from '../caller.ts'
import type { Envelope } from '../messages/envelope.ts'

/** Where the spread of a publication, or of a replay, has come to. */
export type Position = { stage: 'exact' | 'prefix'; cursor?: string }

/** One message on one topic. Times in milliseconds. */
export type Publication = {
  id: string
  tenant: string
  topic: string
  envelope: Envelope
  data: Body
  /** The topics it passed, this one last. */
  hops: string[]
  /** `undefined`: every subscription was looked at. */
  position?: Position
  /** Subscriptions that it matched. */
  matched: number
  dueAt?: number
  createdAt: number
  /** Digest of what was published, to tell a repetition from another message. */
  published: string
  stamp: Stamp
}
