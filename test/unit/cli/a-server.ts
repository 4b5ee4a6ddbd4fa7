import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { createClient } from '#cli/client/client.ts'

export type Received = { method: string; url: string; headers: IncomingHttpHeaders; body: Buffer }
/** Answers the nth request, from 1. */
export type Answer = (request: Received, response: ServerResponse, nth: number) => void | Promise<void>

/** A server on loopback that answers as it is told and remembers what it was asked. */
export const aServer = async (answer: Answer) => {
  const requests: Received[] = []
  const server = createServer(async (incoming, response) => {
    const body = await buffer(incoming).catch(() => Buffer.alloc(0))
    const { method = '', url = '', headers } = incoming
    requests.push({ method, url, headers, body })
    await answer({ method, url, headers, body }, response, requests.length)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    requests,
    client: createClient({ url, apiKey: 'key' }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export const json = (response: ServerResponse, status: number, body: unknown, headers = {}): void =>
  void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))

export const problem = (response: ServerResponse, status: number, code: string, more = {}): void =>
  json(response, status, { title: code, status, code, detail: `it is ${code}`, ...more })
