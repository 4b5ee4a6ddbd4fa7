import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type IncomingHttpHeaders, request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EmbeddedServer, startServer } from '#cli/server/embedded-server.ts'
import type { Problem } from '#shared/contracts/common.ts'
import type { ObjectResponse } from '#shared/contracts/objects.ts'

const home = mkdtempSync(join(tmpdir(), 'devcycle-whole-'))
let server: EmbeddedServer
beforeAll(async () => {
  server = await startServer({ dataDir: join(home, 'data'), host: '127.0.0.1', port: 0, agents: [], version: '0.0.0' })
})
afterAll(async () => {
  await server.close()
  rmSync(home, { recursive: true, force: true })
})

type Sent = { method?: string; headers?: Record<string, string>; body?: string | string[] }
type Received = { status: number; headers: IncomingHttpHeaders; text: string }

/** A request over a socket, with whatever headers; a body in parts is sent in chunks, without a length. */
const ask = (path: string, { method = 'GET', headers = {}, body }: Sent = {}): Promise<Received> =>
  new Promise((resolve, reject) => {
    const options = { method, headers, agent: false } // a connection of its own: some break the framing
    const sent = request(new URL(path, server.url), options, async (response) => {
      const parts = await response.setEncoding('utf8').toArray()
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text: parts.join('') })
    })
    sent.on('error', reject)
    if (Array.isArray(body)) for (const part of body) sent.write(part)
    sent.end(Array.isArray(body) ? undefined : body)
  })

/** Every refusal has one shape, whoever on this server says it. */
const expectProblem = (answer: Received, status: number, code: string): Problem => {
  expect([answer.status, answer.headers['content-type']]).toEqual([status, 'application/problem+json'])
  const problem = JSON.parse(answer.text) as Problem
  expect(problem).toMatchObject({ status, code, title: expect.any(String), detail: expect.any(String) })
  expect(problem.requestId).toBe(answer.headers['x-request-id'])
  return problem
}

const authorized = () => ({ authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' })

describe('paths and methods', () => {
  it.each([
    '/',
    '/nothing',
    '/api',
    '/api/v2',
    '/api/v2/nothing',
    '/api/v1/tasks',
    '/metrics/x',
    '/api/v2/objects/x/y',
  ])('there is nothing at %s', async (path) => {
    for (const method of ['GET', 'POST', 'DELETE'])
      expectProblem(await ask(path, { method, headers: authorized() }), 404, 'NOT_FOUND')
  })

  it.each([
    ['PUT', '/api/v2/tasks', 'POST, GET, HEAD, OPTIONS'],
    ['DELETE', '/api/v2/objects/obj_x/content', 'GET, PUT, HEAD, OPTIONS'],
    ['POST', '/metrics', 'GET, HEAD, OPTIONS'],
  ])('%s %s names what is allowed', async (method, path, allow) => {
    const wrong = await ask(path, { method, headers: authorized() })
    expectProblem(wrong, 405, 'METHOD_NOT_ALLOWED')
    expect(wrong.headers.allow).toBe(allow)
    const options = await ask(path, { method: 'OPTIONS' })
    expect([options.status, options.headers.allow, options.text]).toEqual([204, allow, ''])
  })

  it('a body that is no JSON, and a missing key, are problems here too', async () => {
    const broken = { method: 'POST', headers: authorized(), body: '{' }
    expectProblem(await ask('/api/v2/tasks', broken), 400, 'MALFORMED_JSON')
    expectProblem(await ask('/api/v2/tasks'), 401, 'UNAUTHENTICATED')
  })
})

describe('names and origins', () => {
  it.each(['evil.example', 'localhost.evil.example', '169.254.169.254', '[fe80::1]:80'])(
    'is not %s, on any path',
    async (host) => {
      for (const path of ['/healthz', '/metrics', '/nothing', '/api/v2/tasks', '/api/v2/objects/x/content'])
        expectProblem(await ask(path, { headers: { host } }), 421, 'WRONG_HOST')
    },
  )

  it.each(['http://evil.example', 'null', 'http://127.0.0.1:1'])('takes nothing from a page of %s', async (origin) => {
    for (const path of ['/healthz', '/metrics', '/nothing', '/api/v2/tasks', '/api/v2/objects/x/content'])
      expectProblem(await ask(path, { headers: { origin } }), 403, 'WRONG_ORIGIN')
  })
})

const declare = async (object: object): Promise<ObjectResponse> => {
  const answer = await ask('/api/v2/objects', { method: 'POST', headers: authorized(), body: JSON.stringify(object) })
  return JSON.parse(answer.text) as ObjectResponse
}
const find = async (id: string): Promise<ObjectResponse> =>
  JSON.parse((await ask(`/api/v2/objects/${id}`, { headers: authorized() })).text) as ObjectResponse
const put = (object: ObjectResponse, body: string | string[]) => ask(object.upload?.url ?? '', { method: 'PUT', body })

describe('uploads', () => {
  const refusedWith = async (declared: object, body: string | string[], code: string) => {
    const object = await declare(declared)
    const problem = expectProblem(await put(object, body), 422, 'INVALID')
    expect(problem.errors).toMatchObject([{ pointer: '#', code }])
    expect((await find(object.id)).state).toBe('PENDING')
  }

  it.each([
    ['fewer bytes than were declared', 'x'.repeat(5)],
    ['more bytes than were declared', 'x'.repeat(20)],
    ['no bytes', ''],
    ['bytes without a length', ['x'.repeat(5)]],
  ])('%s are refused', (_, body) => refusedWith({ size: 10 }, body, 'SIZE'))

  it('more bytes than any object may have are refused before they come', async () => {
    const headers = { 'content-length': String(5 * 1024 ** 3 + 1) }
    const url = (await declare({})).upload?.url ?? ''
    expectProblem(await ask(url, { method: 'PUT', headers, body: 'x' }), 413, 'PAYLOAD_TOO_LARGE')
  })

  it('other bytes than were declared are refused', () =>
    refusedWith({ sha256: 'a'.repeat(64) }, 'x'.repeat(10), 'CHECKSUM'))

  it('just the bytes that were declared are stored', async () => {
    const object = await declare({ size: 10 })
    expect((await put(object, 'x'.repeat(10))).status).toBe(200)
    expect(await find(object.id)).toMatchObject({ state: 'STORED', size: 10 })
  })

  it('an address that was not signed is refused', async () => {
    expectProblem(await ask('/api/v2/objects/obj_x/content', { method: 'PUT', body: 'x' }), 403, 'FORBIDDEN')
    expectProblem(await ask('/api/v2/objects/obj_x/content'), 403, 'FORBIDDEN')
  })
})

it('a download is a file to keep: it runs nothing in the name of this server', async () => {
  const object = await declare({ contentType: 'text/html' })
  await put(object, '<script>alert(1)</script>')
  const { headers, text } = await ask((await find(object.id)).download?.url ?? '')
  expect(text).toContain('script')
  expect(headers).toMatchObject({
    'content-type': 'text/html',
    'content-disposition': 'attachment',
    'content-security-policy': 'sandbox',
    'x-content-type-options': 'nosniff',
  })
})

it('HEAD of a download says what GET would, without the bytes', async () => {
  const object = await declare({ contentType: 'text/plain' })
  await put(object, 'hello')
  const { status, headers, text } = await ask((await find(object.id)).download?.url ?? '', { method: 'HEAD' })
  expect([status, headers['content-length'], text]).toEqual([200, '5', ''])
})

describe('what cannot be read as a request is a problem:', () => {
  it('headers that are too long', async () => {
    const problem = expectProblem(
      await ask('/api/v2/tasks', { headers: { 'x-long': 'x'.repeat(20_000) } }),
      431,
      'HEADERS_TOO_LARGE',
    )
    expect(problem.detail).toContain('16 KiB')
  })

  it.each([
    ['what is no HTTP', 'no HTTP at all\r\n\r\n'],
    ['one without a host', 'GET /api/v2/tasks HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['one of HTTP/1.0 without a host', 'GET /api/v2/tasks HTTP/1.0\r\n\r\n'],
    ['one with a host that is none', 'GET /api/v2/tasks HTTP/1.1\r\nHost: a/b\r\nConnection: close\r\n\r\n'],
  ])('%s', async (_, text) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.end(text)
    const answer = (await socket.setEncoding('utf8').toArray()).join('')
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    expect(head).toMatch(/^HTTP\/1\.1 400 Bad Request\r\ncontent-type: application\/problem\+json\r\n/)
    expect(JSON.parse(body)).toMatchObject({ status: 400, code: 'MALFORMED_REQUEST', requestId: expect.any(String) })
  })
})

it('a start that breaks off leaves no agent behind and frees its folder', async () => {
  const dataDir = join(home, 'broken')
  const agent = join(home, 'agent')
  mkdirSync(join(dataDir, 'server.json'), { recursive: true })
  mkdirSync(agent)
  writeFileSync(join(agent, 'agent.ts'), 'setInterval(() => undefined, 1000); await new Promise(() => {})')
  const options = { dataDir, host: '127.0.0.1', port: 0, agents: [agent], version: '0.0.0' }
  await expect(startServer(options)).rejects.toThrow('server.json')
  expect(process.getActiveResourcesInfo()).not.toContain('ProcessWrap')
  rmSync(join(dataDir, 'server.json'), { recursive: true })
  const again = await startServer({ ...options, agents: [] })
  await again.close()
})
