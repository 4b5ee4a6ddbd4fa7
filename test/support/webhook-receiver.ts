import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Received = { path: string; headers: Record<string, string>; body: string }

/** A receiver of webhooks on this machine that answers as it is told, and keeps what came. */
/** `body`: 'seen' unless told; one without an end stays open after what it has. */
type Reply = { status: number; headers?: Record<string, string>; body?: string; endless?: boolean }

export const startReceiver = async (answer: (request: Received) => Reply | Promise<Reply>) => {
  const received: Received[] = []
  let connections = 0
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request.setEncoding('utf8')) body += part
    const one = { path: request.url ?? '', headers: request.headers as Record<string, string>, body }
    received.push(one)
    const { status, headers, body: told = 'seen', endless } = await answer(one)
    response.writeHead(status, headers).write(told)
    if (!endless) response.end()
  })
  server.on('connection', () => connections++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    received,
    connections: () => connections,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
