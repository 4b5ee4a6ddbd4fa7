import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { HttpError, toProblem } from '#functions/api/errors.ts'
import { identifySocket } from '#functions/websocket/accept.ts'
import { maxFrameBytes } from '#shared/contracts/realtime.ts'
import type { Identity } from '#shared/domain/access/authenticate.ts'
import { newId } from '#shared/domain/ids.ts'
import { openConnection } from '#shared/domain/realtime/open-connection.ts'
import type { EmbeddedPlatform } from '#shared/platform/embedded/create-embedded-platform.ts'
import { ulid } from '#shared/platform/ulid.ts'
import { checkHost } from './host-check.ts'
import { serveSocket } from './serve-socket.ts'
import { startHeartbeats } from './socket-heartbeats.ts'

const socketPath = '/api/v2/ws'

const urlOf = ({ url = '/' }: IncomingMessage): URL => new URL(url, 'http://localhost')

/** Everything else is answered as if it had not asked for another protocol. */
export const isSocketRequest = (request: IncomingMessage): boolean =>
  request.headers.upgrade?.toLowerCase() === 'websocket' && urlOf(request).pathname === socketPath

/** WebSockets of the server: what API Gateway does for the WebSocket API on AWS. */
export const openSockets = (server: Server, platform: EmbeddedPlatform, listenHost: string) => {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxFrameBytes, perMessageDeflate: false })
  const heartbeats = startHeartbeats(sockets, platform.clock)
  const ends = new Set<Promise<void>>()
  let closed = false

  const serve = (socket: WebSocket, identity: Identity): void => {
    const id = newId('con', platform)
    if (closed || !platform.realtime.attach(id, socket)) {
      socket.close(1013, 'there is no room; try again later')
      return
    }
    const opened = openConnection(platform, identity, id)
    heartbeats.attend(socket, opened)
    const end = serveSocket(platform, { id, socket, opened })
    ends.add(end)
    void end.finally(() => ends.delete(end))
  }
  server.on('upgrade', (request, stream, head) => {
    stream.on('error', () => stream.destroy())
    identify(platform, listenHost, request).then(
      (identity) => sockets.handleUpgrade(request, stream, head, (socket) => serve(socket, identity)),
      (error: unknown) => refuse(platform, stream, error),
    )
  })
  return {
    async close(): Promise<void> {
      closed = true
      heartbeats.stop()
      for (const socket of sockets.clients) socket.close(1001, 'the server stops; connect again')
      const timer = setTimeout(() => {
        for (const socket of sockets.clients) socket.terminate()
      }, 500)
      await Promise.all(ends)
      clearTimeout(timer)
    },
  }
}

const identify = async (
  platform: EmbeddedPlatform,
  listenHost: string,
  request: IncomingMessage,
): Promise<Identity> => {
  const { host, origin, authorization } = request.headers
  checkHost(listenHost, host, origin)
  if (request.method !== 'GET') throw new HttpError('METHOD_NOT_ALLOWED', 'a socket is opened by GET', { allow: 'GET' })
  return identifySocket(platform, { authorization, ticket: urlOf(request).searchParams.get('ticket') ?? undefined })
}

/** The problem that every other request would have got, on the bare connection. */
const refuse = async (
  { clock, random, telemetry }: EmbeddedPlatform,
  stream: Duplex,
  error: unknown,
): Promise<void> => {
  const { response, status } = toProblem(
    error,
    ulid(clock.now(), (length) => random.bytes(length)),
  )
  if (status >= 500) telemetry.log('error', 'a socket was not opened', { error: String(error) })
  const body = await response.text()
  const headers = [...response.headers, ['content-length', String(Buffer.byteLength(body))], ['connection', 'close']]
  const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  stream.end(`HTTP/1.1 ${status} ${response.statusText || 'Refused'}\r\n${head}\r\n${body}`)
}
