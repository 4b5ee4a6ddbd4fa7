import type { Principal } from '../caller.ts'

/** What a connection watches: a topic, or one entity of it. `ref` comes back with what it is told. */
export type Watch = { topic: string; id?: string; ref?: string }

/** One open socket, and who opened it. */
export type Connection = {
  id: string
  tenant: string
  principal: Principal
  openedAt: number
  /** It is closed by then, however busy it is. */
  expiresAt: number
  watches: Watch[]
  /** What it says of itself; absent: it is nobody that others see. */
  presence?: { who: string; status: string; since: number }
}

/** API Gateway keeps no connection for longer. */
export const connectionSeconds = 2 * 3600
/** A connection watches so much at most. */
export const mostWatches = 100

export const isWatch =
  (watch: Watch) =>
  ({ topic, id }: Watch): boolean =>
    topic === watch.topic && id === watch.id
