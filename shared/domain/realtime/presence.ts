import type { Connection } from './connection.ts'
import type { PresenceFrame } from './frame.ts'

/** Who is there, and what they say that they do. */
export const presenceTopic = 'presence'

/** What whoever watches presence is told of a connection; `undefined`: it never said who it is. */
export const presenceFrame = ({ id, presence }: Connection, isGone = false): PresenceFrame | undefined =>
  presence && {
    type: 'presence',
    connection: id,
    who: presence.who,
    status: isGone ? null : presence.status,
    since: new Date(presence.since).toISOString(),
  }
