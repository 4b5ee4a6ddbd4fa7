import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ClientOptions, WebSocket } from 'ws'
import { type EmbeddedServer, startServer } from '#cli/server/embedded-server.ts'
import type { ServerFrame } from '#shared/contracts/realtime.ts'
import { listConnections } from '#shared/domain/realtime/connection-store.ts'
import { eventually } from '#test/support/eventually.ts'

const home = mkdtempSync(join(tmpdir(), 'devcycle-sockets-'))
const options = { dataDir: join(home, 'data'), host: '127.0.0.1', port: 0, agents: [], version: '0.0.0' }
let server: EmbeddedServer
beforeAll(async () => {
  server = await startServer(options)
})
afterAll(async () => {
  await server.close()
  rmSync(home, { recursive: true, force: true })
})

const post = async (path: string, body: unknown = {}) => {
  const headers = { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' }
  const response = await fetch(`${server.url}/api/v2${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  return response.json() as Promise<Record<string, string>>
}
const aTask = async () => (await post('/tasks', { capability: 'nobody.offers', input: {} })).id ?? ''

type Client = { socket: WebSocket; frames: ServerFrame[]; end: () => { code: number; reason: string } | undefined }

const listen = (socket: WebSocket): Client => {
  const frames: ServerFrame[] = []
  let end: { code: number; reason: string } | undefined
  socket.on('message', (data) => frames.push(JSON.parse(String(data))))
  socket.on('close', (code, reason) => {
    end = { code, reason: String(reason) }
  })
  socket.on('error', () => undefined)
  return { socket, frames, end: () => end }
}

const address = () => server.platform.realtime.url()
const authorization = () => ({ authorization: `Bearer ${server.apiKey}` })
const open = async (more: ClientOptions = {}): Promise<Client> => {
  const client = listen(new WebSocket(address(), { headers: authorization(), ...more }))
  await once(client.socket, 'open')
  return client
}
const subscribed = async (): Promise<Client> => {
  const client = await open()
  client.socket.send(JSON.stringify({ type: 'subscribe', topic: 'tasks' }))
  await eventually(() => expect(client.frames).toHaveLength(1))
  return client
}

/** The answer to a connection that is refused. */
const refusal = async (url: string, more: ClientOptions = {}) => {
  const socket = new WebSocket(url, more)
  socket.on('error', () => undefined)
  const [, response] = await once(socket, 'unexpected-response')
  const text = (await response.setEncoding('utf8').toArray()).join('')
  return { status: response.statusCode, problem: JSON.parse(text) as { code: string } }
}

describe('sockets of the embedded server', () => {
  it('tell a client that shows its key in a header, or a ticket in the address', async () => {
    const { url } = await post('/ws/ticket')
    const byTicket = listen(new WebSocket(url ?? ''))
    await once(byTicket.socket, 'open')
    byTicket.socket.send('{"type":"subscribe","topic":"tasks"}')
    await eventually(() => expect(byTicket.frames).toHaveLength(1))
    const byKey = await subscribed()
    const id = await aTask()
    await eventually(() => {
      for (const { frames } of [byTicket, byKey])
        expect(frames).toContainEqual({ type: 'changed', topic: 'tasks', id, rev: expect.any(String) })
    })
    expect(await refusal(url ?? '')).toMatchObject({ status: 401, problem: { code: 'UNAUTHENTICATED' } })
  })

  it.each([
    ['no key', {}, 401, 'UNAUTHENTICATED'],
    ['another host’s name', { headers: { host: 'evil.example.com' } }, 421, 'WRONG_HOST'],
    ['a page of another site', { origin: 'https://evil.example.com' }, 403, 'WRONG_ORIGIN'],
  ])('are refused to %s as a request is', async (_, more, status, code) => {
    expect(await refusal(address(), more as ClientOptions)).toMatchObject({ status, problem: { code } })
  })

  it('are only where they are', async () => {
    const elsewhere = address().replace('/ws', '/tasks')
    expect(await refusal(elsewhere, { headers: authorization() }).then(({ status }) => status)).not.toBe(101)
    expect((await fetch(address().replace('ws:', 'http:'))).status).toBe(404)
  })

  it('close on a frame that is too large or no text, and say so', async () => {
    const [large, binary] = [await open(), await open()]
    large.socket.send('x'.repeat(128 * 1024 + 1))
    binary.socket.send(Buffer.from([1, 2, 3]))
    await eventually(() => expect([large.end()?.code, binary.end()?.code]).toEqual([1009, 1003]))
  })

  it('tell an entity that changes often once in a quarter of a second', async () => {
    const client = await subscribed()
    const started = Date.now()
    const ids = await Promise.all(Array.from({ length: 20 }, aTask))
    await Promise.all(ids.map((id) => post(`/tasks/${id}/cancel`)))
    const rounds = Math.ceil((Date.now() - started) / 250) + 2
    await eventually(async () => {
      const told = client.frames.filter((frame) => frame.type === 'changed')
      expect(new Set(told.map(({ id }) => id)).size).toBeGreaterThanOrEqual(20)
    })
    for (const id of ids)
      expect(client.frames.filter((frame) => 'id' in frame && frame.id === id).length).toBeLessThanOrEqual(rounds)
  })

  it('keep a bounded part of what a client does not read, and close it', async () => {
    const client = await subscribed()
    const { _socket } = client.socket as unknown as { _socket: Socket }
    _socket.pause()
    const [newest] = (await listConnections(server.platform, 'default', { limit: 1 })).items
    const id = newest?.value.id ?? ''
    const text = JSON.stringify({ type: 'resync', topic: 'x'.repeat(64 * 1024) })
    let outcome = 'SENT'
    for (let pushes = 0; outcome === 'SENT' && pushes < 1000; pushes++) {
      outcome = await server.platform.realtime.push(id, text)
      await new Promise(setImmediate)
    }
    expect(outcome).toBe('BEHIND')
    await aTask()
    await eventually(async () => expect(await server.platform.realtime.push(id, 'x')).toBe('GONE'))
    await new Promise((resolve) => setTimeout(resolve, 3000)) // longer than one has to answer that reads
    _socket.resume()
    await eventually(() => expect(client.end()?.code).toBe(1013))
  })

  it('tell a thousand clients of one change', async () => {
    const clients = await Promise.all(Array.from({ length: 1000 }, () => open()))
    for (const { socket } of clients) socket.send('{"type":"subscribe","topic":"tasks"}')
    await eventually(() => expect(clients.filter(({ frames }) => frames.length > 0)).toHaveLength(1000), 30_000)
    const id = await aTask()
    await eventually(
      () => expect(clients.filter(({ frames }) => JSON.stringify(frames).includes(id))).toHaveLength(1000),
      30_000,
    )
    for (const { socket } of clients) socket.terminate()
    await eventually(
      async () =>
        expect((await listConnections(server.platform, 'default', { limit: 50 })).items.length).toBeLessThan(50),
      30_000,
    )
  }, 90_000)

  it('survive what is no WebSocket at all', async () => {
    const { hostname, port } = new URL(server.url)
    const raw = connect(Number(port), hostname)
    raw.write(`GET /api/v2/ws HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`)
    raw.write(`Authorization: Bearer ${server.apiKey}\r\n\r\n`)
    const [data] = await once(raw, 'data')
    expect(String(data)).toMatch(/^HTTP\/1.1 400 /)
    raw.destroy()
    const half = await open()
    const { _socket } = half.socket as unknown as { _socket: Socket }
    _socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff]))
    await eventually(() => expect(half.end()).toBeDefined())
    expect((await subscribed()).frames).toHaveLength(1)
  })

  it('are closed when the server stops, and nothing is kept of them', async () => {
    const other = await startServer({ ...options, dataDir: join(home, 'other') })
    const client = listen(
      new WebSocket(other.platform.realtime.url(), { headers: { authorization: `Bearer ${other.apiKey}` } }),
    )
    await once(client.socket, 'open')
    await other.close()
    await eventually(() => expect(client.end()).toEqual({ code: 1001, reason: 'the server stops; connect again' }))
    const again = await startServer({ ...options, dataDir: join(home, 'other') })
    expect((await listConnections(again.platform, 'default', { limit: 10 })).items).toEqual([])
    await again.close()
  })
})
