import { describe, expect, it, vi } from 'vitest'
import { createClient } from '#cli/client/client.ts'
import { ApiError, UnreachableError } from '#cli/client/errors.ts'
import { freePort } from '#test/support/free-port.ts'
import { aServer, json, problem } from './a-server.ts'

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

describe('a create', () => {
  it('whose answer is lost is sent again under the same idempotency key', async () => {
    await using server = await aServer((_, response, nth) =>
      nth < 3 ? void response.destroy() : json(response, 202, { id: 'tsk_1' }),
    )
    expect(await server.client.create('/tasks', { capability: 'a' })).toEqual({ id: 'tsk_1' })
    const keys = server.requests.map(({ headers }) => headers['idempotency-key'])
    expect(keys).toHaveLength(3)
    expect(new Set(keys).size).toBe(1)
    expect(server.requests[2]?.body.toString()).toBe('{"capability":"a"}')
  })

  it('takes the key that it is given, and each one has a key of its own otherwise', async () => {
    await using server = await aServer((_, response) => json(response, 201, {}))
    await server.client.create('/tasks', {}, { headers: { 'idempotency-key': 'mine' } })
    await server.client.create('/tasks', {})
    await server.client.create('/tasks', {})
    const [mine, second, third] = server.requests.map(({ headers }) => headers['idempotency-key'])
    expect(mine).toBe('mine')
    expect(second).not.toBe(third)
  })

  it('is sent again when the server is busy, not before the time that it asks for', async () => {
    await using server = await aServer((_, response, nth) =>
      nth === 1 ? problem(response, 429, 'THROTTLED', {}) : json(response, 201, {}),
    )
    await server.client.create('/tasks', {})
    await using patient = await aServer((_, response, nth) =>
      nth === 1 ? json(response, 503, { code: 'UNAVAILABLE' }, { 'retry-after': '1' }) : json(response, 201, {}),
    )
    const start = performance.now()
    await patient.client.create('/tasks', {})
    expect(performance.now() - start).toBeGreaterThanOrEqual(990)
    expect([server.requests.length, patient.requests.length]).toEqual([2, 2])
  })

  it('is not repeated when it is refused', async () => {
    await using server = await aServer((_, response) => problem(response, 409, 'CONFLICT'))
    expect(await failure(server.client.create('/tasks', {}))).toMatchObject({ status: 409, code: 'CONFLICT' })
    expect(server.requests).toHaveLength(1)
  })
})

it('does not repeat a write that has no idempotency key', async () => {
  await using server = await aServer((_, response) => void response.destroy())
  expect(await failure(server.client.request('POST', '/tasks/tsk_1/cancel'))).toBeInstanceOf(UnreachableError)
  expect(server.requests).toHaveLength(1)
})

it('tells at once that nobody is there', async () => {
  const url = `http://127.0.0.1:${await freePort()}`
  const longest = vi.spyOn(Math, 'random').mockReturnValue(1)
  const start = performance.now()
  const error = await failure(createClient({ url, hint: 'start one' }).create('/tasks', {}))
  expect(error).toMatchObject({ exitCode: 6, message: `no answer from ${url} (connection refused); start one` })
  expect(performance.now() - start).toBeLessThan(5000) // the pauses between all tries are 11 s
  longest.mockRestore()
})

it.each([
  [400, 2],
  [401, 3],
  [403, 3],
  [404, 4],
  [409, 1],
  [413, 1],
  [422, 2],
  [500, 1],
])('ends a command that is answered %i with code %i', async (status, exitCode) => {
  await using server = await aServer((_, response) => problem(response, status, 'CODE'))
  const error = await failure(server.client.get('/tasks'))
  expect(error).toBeInstanceOf(ApiError)
  expect(error).toMatchObject({ status, exitCode, code: 'CODE', message: expect.stringContaining('it is CODE') })
})

it('names each wrong field on a line of its own', async () => {
  const errors = [
    { pointer: '#/capability', code: 'INVALID', message: 'too short' },
    { pointer: '#/priority', code: 'INVALID', message: 'unknown' },
  ]
  await using server = await aServer((_, response) => problem(response, 422, 'INVALID', { errors }))
  expect(await failure(server.client.create('/tasks', {}))).toMatchObject({
    errors,
    message: 'it is INVALID (INVALID)\n  #/capability: too short\n  #/priority: unknown',
  })
})

it.each([
  [
    'it is INVALID (INVALID)\n  #/input/service: must be string',
    'it is INVALID',
    [['#/input/service', 'must be string']],
  ],
  ['the id is no id (INVALID)', 'the id is no id', [['#/id', 'the id is no id']]],
  ['#/id: too short (INVALID)', '#/id: too short', [['#/id', 'too short']]],
  [
    '#/id: too short (INVALID)\n  #/name: too short',
    '#/id: too short',
    [
      ['#/id', 'too short'],
      ['#/name', 'too short'],
    ],
  ],
])('says "%s" and nothing twice', async (message, detail, fields) => {
  const errors = fields.map(([pointer, text]) => ({ pointer, code: 'INVALID', message: text }))
  await using server = await aServer((_, response) => problem(response, 422, 'INVALID', { detail, errors }))
  expect(await failure(server.client.create('/tasks', {}))).toMatchObject({ message })
})

it('says so when what answers is no DevCycle server', async () => {
  await using page = await aServer((_, response) => void response.end('<html>'))
  expect(await failure(page.client.get('/tasks'))).toMatchObject({
    exitCode: 1,
    message: `${page.url} answered no JSON; is it a DevCycle server?`,
  })
  await using gateway = await aServer((_, response) => json(response, 403, { message: 'Missing Authentication Token' }))
  expect(await failure(gateway.client.get('/tasks'))).toMatchObject({
    exitCode: 3,
    message: `${gateway.url} answered Missing Authentication Token (403)`,
  })
})

it('proves who asks, below the path of the server', async () => {
  await using server = await aServer((_, response) => json(response, 200, {}))
  await createClient({ url: `${server.url}/dev`, apiKey: 'secret' }).get('/agents')
  expect(server.requests[0]).toMatchObject({
    method: 'GET',
    url: '/dev/api/v2/agents',
    headers: { authorization: 'Bearer secret' },
  })
})

it('stops when it is told to', async () => {
  const stopping = new AbortController()
  await using server = await aServer(() => stopping.abort())
  expect(await failure(server.client.get('/tasks', { signal: stopping.signal }))).toMatchObject({ name: 'AbortError' })
  expect(server.requests).toHaveLength(1)
})
