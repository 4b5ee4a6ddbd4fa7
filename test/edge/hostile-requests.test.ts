import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { operations } from '#shared/contracts/operations.ts'
import { type Answer, anApi, type TestApi } from '#test/support/api.ts'

let api: TestApi
let taskId: string
beforeAll(async () => {
  api = await anApi()
  taskId = (await api.post('/tasks', { capability: 'nobody' })).body.id
})
afterAll(() => api.close())

/** Every refusal has the same shape and gives nothing away. */
const expectProblem = (answer: Answer, status: number, code?: string): void => {
  expect(answer.status).toBe(status)
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(answer.body).toMatchObject({
    status,
    code: code ?? expect.stringMatching(/^[A-Z_]+$/),
    requestId: expect.any(String),
    detail: expect.any(String),
  })
  expect(JSON.stringify(answer.body)).not.toMatch(/node_modules|\.ts:\d+|\\n\s+at /)
}

describe('bodies', () => {
  const raw = (text: string, headers = {}) => api.request('POST', '/tasks', { body: text, headers })

  it.each([
    ['not JSON', '{', 400, 'MALFORMED_JSON'],
    ['JSON of another kind', '[]', 422, 'INVALID'],
    ['null', 'null', 422, 'INVALID'],
    ['nothing', '', 400, 'MALFORMED_JSON'],
    ['an unknown field', '{"capability":"a","tenantId":"b"}', 422, 'INVALID'],
    ['a wrong type', '{"capability":7}', 422, 'INVALID'],
    ['a wrong name', '{"capability":"a b"}', 422, 'INVALID'],
    ['a prototype key', '{"capability":"a","__proto__":{"x":1}}', 422, 'INVALID'],
    ['a nested prototype key', '{"capability":"a","input":{"b":{"__proto__":{"x":1}}}}', 422, 'INVALID'],
    ['absurd depth', `{"capability":"a","input":${'['.repeat(50_000)}${']'.repeat(50_000)}}`, 422, 'INVALID'],
    ['ten megabytes', JSON.stringify({ capability: 'a', input: 'x'.repeat(10_000_000) }), 413, 'PAYLOAD_TOO_LARGE'],
    ['a bad time', '{"capability":"a","runAt":"tomorrow"}', 422, 'INVALID'],
    ['a bad priority', '{"capability":"a","priority":"asap"}', 422, 'INVALID'],
    ['too many attempts', '{"capability":"a","retry":{"attempts":0}}', 422, 'INVALID'],
    ['neither capability nor agent', '{}', 422, 'INVALID'],
  ])('%s is refused by name', async (_, text, status, code) => expectProblem(await raw(text), status, code))

  it('names the field and what would be right', async () => {
    const { body } = await raw('{"capability":"a","priority":"asap","labels":{"a":1}}')
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(['#/priority', '#/labels/a'])
    expect(body.errors[0].message).toContain('urgent')
    expect((await raw('{"capability":"a","x/y":1}')).body.errors).toMatchObject([
      { pointer: '#/x~1y', code: 'UNKNOWN_FIELD' },
    ])
  })

  it.each(['/limits', '/agents/nobody'])(
    'a patch of %s in another language than a merge patch is refused',
    async (path) => {
      const patch = (type: string) => api.request('PATCH', path, { body: '{}', headers: { 'content-type': type } })
      for (const type of ['application/json-patch+json', 'application/vnd.x+json', 'text/json', '']) {
        const refused = await patch(type)
        expectProblem(refused, 415)
        expect(refused.headers.get('accept-patch')).toContain('application/merge-patch+json')
      }
      for (const type of ['application/merge-patch+json', 'application/json; charset=utf-8', 'Application/JSON'])
        expect((await patch(type)).status).not.toBe(415)
    },
  )

  it('another media type, or bytes that are not UTF-8, are refused', async () => {
    expectProblem(await raw('a=1', { 'content-type': 'application/x-www-form-urlencoded' }), 415)
    const zipped = await raw('{"capability":"a"}', { 'content-encoding': 'gzip' })
    expectProblem(zipped, 415)
    expect(zipped.body.detail).toContain('gzip')
    const response = await api.app.request('/api/v2/tasks', {
      method: 'POST',
      headers: { authorization: `Bearer ${api.apiKey}`, 'content-type': 'application/json' },
      body: new Uint8Array([0x22, 0xff, 0xfe, 0x22]),
    })
    expect(response.status).toBe(400)
  })

  it('ordinary words that look dangerous are data', async () => {
    const input = { constructor: 'x', prototype: 1, toString: null }
    expect((await api.post('/tasks', { capability: 'nobody', input })).status).toBe(202)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})

describe('queries, paths and methods', () => {
  it.each([
    '/tasks?limit=0',
    '/tasks?limit=201',
    '/tasks?limit=x',
    '/tasks?cursor=%00',
    '/tasks?cursor=bm9wZQ',
    '/tasks?nope=1',
    '/tasks?status=DONE',
    '/tasks?limit=5&limit=6',
    '/agents?state=SLEEPING',
    '/agents?cursor=zzz',
    '/tasks?since=yesterday',
    '/tasks?label=',
    '/tasks?label=team:x,:y',
  ])('%s is 422 with a pointer into the query', async (path) => {
    const answer = await api.get(path)
    expectProblem(answer, 422, 'INVALID')
    expect(answer.body.errors[0].pointer).toMatch(/^#\/query\//)
  })

  it.each([
    '/tasks/tsk_nope',
    '/tasks/..%2f..%2fetc',
    '/agents/%00',
    '/agents/__proto__',
    '/objects/obj_01KB2V7Q5W8S5ZK3M9N1P4R6T8',
    '/instances/x/lease',
    '/workflows/none',
    '/nothing',
  ])('%s is 404', async (path) => expectProblem(await api.get(path), path.includes('lease') ? 405 : 404))

  it('a wrong method is 405 and says which are right; OPTIONS says so too; HEAD has no body', async () => {
    const wrong = await api.request('PUT', '/tasks')
    expectProblem(wrong, 405, 'METHOD_NOT_ALLOWED')
    expect(wrong.headers.get('allow')).toBe('POST, GET, HEAD, OPTIONS')
    const options = await api.request('OPTIONS', '/tasks')
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'POST, GET, HEAD, OPTIONS'])
    const head = await api.request('HEAD', `/tasks/${taskId}`)
    expect([head.status, head.body]).toEqual([200, ''])
  })
})

describe('keys', () => {
  it('no key, a wrong key, a cut key: 401 with a challenge', async () => {
    for (const key of [
      null,
      'x',
      api.apiKey.slice(0, -1),
      `${api.apiKey}x`,
      api.apiKey.toUpperCase(),
      'dci_default.x.y',
    ]) {
      const answer = await api.request('GET', '/tasks', { key })
      expectProblem(answer, 401, 'UNAUTHENTICATED')
      expect(answer.headers.get('www-authenticate')).toContain('Bearer')
    }
  })

  it("another tenant's key sees nothing of this one's", async () => {
    const key = await api.keyOf('acme')
    expectProblem(await api.request('GET', `/tasks/${taskId}`, { key }), 404)
    expectProblem(await api.request('POST', `/tasks/${taskId}/cancel`, { key }), 404)
    expect((await api.request('GET', '/tasks', { key })).body.items).toEqual([])
    expectProblem(await api.post(`/tasks/${taskId}/complete`, { fence: '1.1', result: 1 }, { key }), 404)
  })

  it("an agent's key runs agents and nothing else", async () => {
    const key = await api.keyOf('default', 'agent')
    expectProblem(await api.post('/tasks', { capability: 'a' }, { key }), 403, 'FORBIDDEN')
    expect((await api.post('/agents', { name: 'of-agent' }, { key })).status).toBe(201)
  })

  it("an instance's token is worth nothing for another instance", async () => {
    await api.post('/agents', { name: 'two' })
    const [one, two] = [
      (await api.post('/instances', { agent: 'two' })).body,
      (await api.post('/instances', { agent: 'two' })).body,
    ]
    expectProblem(await api.post(`/instances/${two.instanceId}/lease`, { max: 1 }, { key: one.token }), 403)
    expectProblem(await api.request('GET', '/tasks', { key: one.token }), 403)
  })

  it('no key is stored in a form that could be used', async () => {
    const dump: string[] = []
    for (let cursor: string | undefined, first = true; first || cursor; first = false) {
      const page = await api.platform.main.scan({ segment: 0, of: 1, cursor })
      dump.push(JSON.stringify(page.items))
      cursor = page.cursor
    }
    const secret = api.apiKey.split('_').slice(2).join('_')
    expect(secret).toHaveLength(43)
    expect(dump.join('')).toContain('api-key')
    expect(dump.join('')).not.toContain(secret)
  })
})

it('every operation answers an empty and a wild request without a server error', async () => {
  const wild = { a: [1, { b: null }], fence: 'x'.repeat(500), max: -1, name: '', running: 'no' }
  for (const { method, path } of Object.values(operations)) {
    const concrete = path.replaceAll(/\{\w+\}/g, 'x')
    for (const body of [undefined, wild, [], 7]) {
      const answer = await api.request(method, concrete, {
        body: method === 'GET' || method === 'DELETE' ? undefined : body,
      })
      expect(answer.status, `${method} ${concrete}`).toBeLessThan(500)
    }
  }
})

describe('schemas of agents', () => {
  const agent = (name: string, inputSchema: unknown) =>
    api.post('/agents', { name, capabilities: [{ name, inputSchema }] })

  it('cannot keep everybody waiting with a pattern', async () => {
    expect((await agent('slow-pattern', { type: 'string', pattern: '^(a+)+$' })).status).toBe(201)
    const began = performance.now()
    expectProblem(await api.post('/tasks', { capability: 'slow-pattern', input: `${'a'.repeat(50)}!` }), 422)
    expect(performance.now() - began).toBeLessThan(2000)
    expect((await api.get('/tasks?limit=1')).status).toBe(200)
  })

  it('have patterns as JavaScript knows them', async () => {
    expect((await agent('look-ahead', { type: 'string', pattern: '^(?!-)[a-z-]+$' })).status).toBe(201)
    expect((await api.post('/tasks', { capability: 'look-ahead', input: 'a-b' })).status).toBe(202)
    expectProblem(await api.post('/tasks', { capability: 'look-ahead', input: '-b' }), 422)
    const answer = await agent('broken-pattern', { type: 'string', pattern: '(' })
    expectProblem(answer, 422)
    expect(answer.body.errors[0].pointer).toBe('#/capabilities/0/inputSchema')
  })

  it('do not meet under one $id', async () => {
    const named = (type: string) => ({ $id: 'https://example.com/input', type })
    expect((await agent('named-1', named('string'))).status).toBe(201)
    expect((await agent('named-2', named('number'))).status).toBe(201)
    expect((await api.post('/tasks', { capability: 'named-2', input: 1 })).status).toBe(202)
    expectProblem(await api.post('/tasks', { capability: 'named-1', input: 1 }), 422)
  })
})

it('filters by labels that are there, not by what every object has', async () => {
  for (const key of ['__proto__', 'constructor', 'toString'])
    for (const list of ['tasks', 'agents']) expect((await api.get(`/${list}?label=${key}`)).body.items).toEqual([])
})

it('filters by labels with a colon in their names or values', async () => {
  const labels = { 'team:x': 'red', at: '12:30' }
  const { id } = (await api.post('/tasks', { capability: 'nobody', labels })).body
  await api.post('/agents', { name: 'labelled', labels })
  const found = async (label: string) => {
    const lists = await Promise.all(['tasks', 'agents'].map((list) => api.get(`/${list}?label=${label}`)))
    return lists.map(({ body }) => body.items.length)
  }
  expect((await api.get('/tasks?label=team:x:red')).body.items).toMatchObject([{ id }])
  for (const label of ['team:x:red', 'team:x=red', 'at:12:30', 'at', 'at=12:30,team:x:red'])
    expect([label, await found(label)]).toEqual([label, [1, 1]])
  for (const label of ['team:x:blue', 'team', 'team:x:red,at:12', 'red']) expect(await found(label)).toEqual([0, 0])
  expectProblem(await api.get('/tasks?label=:red'), 422)
})

it('takes no body that a call does not know', async () => {
  const id = (await api.post('/tasks', { capability: 'nobody' })).body.id
  expectProblem(await api.post(`/tasks/${id}/cancel`, '{{{'), 400, 'MALFORMED_JSON')
  expectProblem(await api.post(`/tasks/${id}/cancel`, { bogus: 1 }), 422)
  expect((await api.get(`/tasks/${id}`)).body.status).toBe('QUEUED')
  expect((await api.post(`/tasks/${id}/cancel`, {})).status).toBe(200)
})

it('knows every filter of the contract', async () => {
  const id = '01J00000000000000000000000'
  for (const filter of [`parent=tsk_${id}`, `workflowRun=run_${id}`])
    expect(await api.get(`/tasks?${filter}`)).toMatchObject({ status: 200, body: { items: [] } })
  expectProblem(await api.get('/tasks?parent=nobody'), 422)
})

describe('a query', () => {
  const rows = Object.values(operations).filter((operation) => !('raw' in operation))

  it.each(rows.map(({ method, path }) => [method, path]))(
    '%s %s takes no field that it does not know',
    async (method, path) => {
      const answer = await api.request(method, `${path.replaceAll(/\{\w+\}/g, 'a')}?nonsense=1`)
      expectProblem(answer, 422, 'INVALID')
      expect(answer.body.errors).toMatchObject([{ pointer: '#/query/nonsense', code: 'UNKNOWN_FIELD' }])
    },
  )
})
