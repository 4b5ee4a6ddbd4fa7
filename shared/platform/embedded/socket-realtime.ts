import type { Realtime } from '../platform.ts'

/** What of a socket of `ws` is used here. */
export type Socket = {
  readonly bufferedAmount: number
  send(text: string): void
  close(code: number, reason: string): void
  terminate(): void
}

export type SocketRealtime = Realtime & {
  /** A socket that is open, under the id of its connection; `false` when this process has room for no more. */
  attach(connection: string, socket: Socket): boolean
  /** It is closed. */
  detach(connection: string): void
}

type Options = {
  baseUrl: () => string
  /** Bytes that a socket which does not read may leave in memory. @default 1 MiB */
  mostBuffered?: number
  /** Sockets that may be open at once. @default 10,000 */
  mostSockets?: number
  /** How long a socket that was closed has to read what was sent. @default 2 s */
  closeMs?: number
}

/** The sockets of one process. */
export const createSocketRealtime = ({
  baseUrl,
  mostBuffered = 1024 ** 2,
  mostSockets = 10_000,
  closeMs = 2000,
}: Options): SocketRealtime => {
  const sockets = new Map<string, Socket>()
  return {
    url: (host = new URL(baseUrl()).host) => `ws://${host}/api/v2/ws`,
    async push(connection, text) {
      const socket = sockets.get(connection)
      if (socket === undefined) return 'GONE'
      if (socket.bufferedAmount > mostBuffered) return 'BEHIND'
      socket.send(text)
      return 'SENT'
    },
    async close(connection, { code, reason }) {
      const socket = sockets.get(connection)
      if (socket === undefined) return
      sockets.delete(connection)
      socket.close(code, reason)
      setTimeout(() => socket.terminate(), closeMs).unref()
    },
    attach(connection, socket) {
      if (sockets.size >= mostSockets) return false
      sockets.set(connection, socket)
      return true
    },
    detach: (connection) => void sockets.delete(connection),
  }
}
