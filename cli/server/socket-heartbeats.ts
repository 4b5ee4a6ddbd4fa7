import type { WebSocket, WebSocketServer } from 'ws'
import { connectionSeconds } from '#shared/domain/realtime/connection.ts'
import type { Clock } from '#shared/platform/platform.ts'

const everyMs = 30_000
/** As API Gateway has it: nothing was said for so long. */
const idleMs = 600_000

type Life = { expiresAt: number; seenAt: number; alive: boolean }

export type Heartbeats = {
  /** What `opened` says when it expires, it is closed. */
  attend(socket: WebSocket, opened: Promise<{ expiresAt: number }>): void
  stop(): void
}

/** Ends sockets whose other side is gone, that nobody uses, or that are as old as one may be on any host. */
export const startHeartbeats = (sockets: WebSocketServer, clock: Clock): Heartbeats => {
  const lives = new WeakMap<WebSocket, Life>()
  const attend: Heartbeats['attend'] = (socket, opened) => {
    const now = clock.now()
    const life: Life = { expiresAt: now + connectionSeconds * 1000, seenAt: now, alive: true }
    lives.set(socket, life)
    opened.then(
      ({ expiresAt }) => (life.expiresAt = expiresAt),
      () => undefined, // whoever opens it closes it
    )
    socket.on('pong', () => (life.alive = true))
    socket.on('message', () => (life.seenAt = clock.now()))
  }
  const beat = (socket: WebSocket): void => {
    const life = lives.get(socket)
    if (life === undefined) return
    const reason = endOf(life, clock.now())
    if (!life.alive) socket.terminate()
    else if (reason !== undefined) socket.close(1001, reason)
    else ping(socket, life)
  }
  const timer = setInterval(() => {
    for (const socket of sockets.clients) beat(socket)
  }, everyMs).unref()
  return { attend, stop: () => clearInterval(timer) }
}

const endOf = ({ expiresAt, seenAt }: Life, now: number): string | undefined => {
  if (now - seenAt > idleMs) return 'idle for ten minutes'
  return now > expiresAt ? 'connect again' : undefined
}

const ping = (socket: WebSocket, life: Life): void => {
  life.alive = false
  socket.ping()
}
