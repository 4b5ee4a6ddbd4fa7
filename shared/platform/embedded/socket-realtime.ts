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
  /** How long a socket that was closed has to answer, once all that was sent is on its way. @default 2 s */
  closeMs?: number
  /** How long it has to read that. @default 24 s: `ws` itself ends it after 30 */
  drainMs?: number
}

/** The sockets of one process. */
export const createSocketRealtime = ({
  baseUrl,
  mostBuffered = 1024 ** 2,
  mostSockets = 10_000,
  closeMs = 2000,
  drainMs = 24_000,
}: Options): SocketRealtime => {
  const sockets = new Map<string, Socket>()
  const closing = new Map<string, NodeJS.Timeout>()
  /** Its end is behind what it has not read: it has time as long as some of that is here. */
  const endSoon = (connection: string, socket: Socket, leftMs = drainMs): void => {
    const isBehind = socket.bufferedAmount > 0 && leftMs > 0
    const look = () => (isBehind ? endSoon(connection, socket, leftMs - closeMs) : socket.terminate())
    closing.set(connection, setTimeout(look, closeMs).unref())
  }
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
      endSoon(connection, socket)
    },
    attach(connection, socket) {
      if (sockets.size + closing.size >= mostSockets) return false
      sockets.set(connection, socket)
      return true
    },
    detach(connection) {
      sockets.delete(connection)
      clearTimeout(closing.get(connection))
      closing.delete(connection)
    },
  }
}
