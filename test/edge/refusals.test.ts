import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { publicEventTypes } from '#shared/domain/webhooks/event-types.ts'
import { type Answer, anApi, type TestApi } from '#test/support/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await anApi()
})
afterAll(() => api.close())

type Field = { pointer: string; message: string }

/** Where and why a request was refused, as `pointer: message`. */
const fieldsOf = ({ status, body }: Answer): string[] => {
  expect(status).toBe(422)
  return (body.errors as Field[]).map(({ pointer, message }) => `${pointer}: ${message}`)
}
const submit = (more: object) => api.post('/tasks', { capability: 'nobody', ...more })
const object = (id: unknown) => ({ $ref: id })

describe('an input that means an object', () => {
  it.each(['obj_nope', 'obj_01KB2V7Q5W8S5ZK3M9N1P4R6TI', 'tsk_01KB2V7Q5W8S5ZK3M9N1P4R6T8', '', 5, null])(
    'is refused when it names %j, which is none',
    async (id) => {
      const wrong = `${JSON.stringify(id)} is no id of an object; one looks like obj_01J…`
      const refused = async (more: object) => fieldsOf(await submit(more))[0]
      expect(await refused({ input: object(id) })).toContain(`#/input/$ref: ${wrong}`)
      expect(await refused({ shards: { list: [1, object(id)] } })).toContain(`#/shards/list/1/$ref: ${wrong}`)
      expect(await refused({ shards: { split: { capability: 'a', input: object(id) } } })).toContain(
        `#/shards/split/input/$ref: ${wrong}`,
      )
      const rate = { everySeconds: 60 }
      const schedule = await api.post('/schedules', { rate, task: { capability: 'nobody', input: object(id) } })
      expect(fieldsOf(schedule)[0]).toContain(`#/task/input/$ref: ${wrong}`)
      const several = await api.post('/tasks:batch', { tasks: [{ capability: 'nobody', input: object(id) }] })
      expect(several.body.items[0].problem.errors[0].pointer).toBe('#/input/$ref')
    },
  )

  it('is data when there is more in it, or when it is a reference of another kind', async () => {
    const schemas = [
      { $ref: 'obj_nope', title: 'x' },
      ...['#/definitions/a', 'https://example.com/a', 'a.json'].map(object),
    ]
    for (const input of schemas) expect((await submit({ input })).status).toBe(202)
  })

  it('names the object of a batch', async () => {
    expect(fieldsOf(await api.post('/batches', { input: object('obj_nope') }))[0]).toMatch(
      /^#\/input\/\$ref: an id looks like obj_01J… with 26 digits/,
    )
  })
})

describe('a request', () => {
  it('is refused when its response would go to nobody', async () => {
    await api.post('/agents', { name: 'answerer' })
    const request = { kind: 'request', to: { agent: 'answerer' }, type: 'x', replyTo: 'no-such-agent' }
    expect(fieldsOf(await api.post('/messages', request))[0]).toBe(
      '#/replyTo: there is no agent no-such-agent that could be replied to',
    )
  })
})

describe('text that is no text', () => {
  const half = '\ud800'
  it.each(['type', 'subject', 'conversation', 'correlationId'])('is no %s of a message', async (field) => {
    const refused = await api.post('/messages', { to: { topic: 'x' }, type: 'x', [field]: half })
    expect(fieldsOf(refused)[0]).toContain(`#/${field}: expected whole characters`)
  })
  it.each(['type', 'subject', 'conversation', 'correlationId'])('has control characters in no %s', async (field) => {
    const refused = await api.post('/messages', { to: { topic: 'x' }, type: 'x', [field]: 'a b\u0001\n' })
    expect(fieldsOf(refused)[0]).toContain(`#/${field}: expected text without control characters`)
  })
  it.each(['not a uri', '%zz', '<x>', 'ä', '\u0000', half, ''])(
    'is no URI-reference that a message comes from: %s',
    async (source) => {
      const refused = await api.post('/messages', { to: { topic: 'x' }, type: 'x', source })
      expect(fieldsOf(refused)[0]).toContain('#/source: expected a URI-reference')
    },
  )
  it.each(['https://example.com/a?b=c#d', 'urn:x:y', '/sensors/tn-1', 'mailto:a@b.c', 'a%20b', 'billing'])(
    'is one: %s',
    async (source) => {
      expect((await api.post('/messages', { to: { topic: 'x' }, type: 'x', source })).body.source).toBe(source)
    },
  )
  it.each([
    ['/fairnessKey', { fairnessKey: half }],
    ['/affinityKey', { affinityKey: half }],
    ['/labels/team', { labels: { team: half } }],
  ])('is refused at #%s of a task', async (pointer, more) => {
    expect(fieldsOf(await submit(more))).toEqual([
      `#${pointer}: expected whole characters; half of a surrogate pair is none`,
    ])
  })

  it('is refused as the key of a limit, and nothing is stored', async () => {
    const keys = { [half]: { concurrency: 1 } }
    expect(fieldsOf(await api.request('PATCH', '/limits', { body: { keys } }))).toHaveLength(1)
    expect((await api.get('/limits')).status).toBe(200)
  })
})

describe('what would cancel everything', () => {
  it.each([{}, { filter: {} }, { filter: { labels: {} } }])('is refused without saying so: %j', async (body) => {
    expect(fieldsOf(await api.post('/tasks:cancel', body))[0]).toContain('#/filter: name at least one field of filter')
  })
})

describe('a webhook', () => {
  const create = (events: string[]) => api.post('/webhooks', { url: 'https://example.com/hook', events })

  it.each(['task.succeded', 'tasks.*', 'task', 'task.succeeded.*'])('does not wait for %s for ever', async (event) => {
    const [field] = fieldsOf(await create([event]))
    expect(field).toContain('#/events/0: expected one of task.succeeded, ')
    expect(field).toContain(`received "${event}"`)
  })

  it('takes every event that there is, and all of a kind', async () => {
    expect((await create([...publicEventTypes, 'task.*', 'agent.*', 'approval.*', '*'])).status).toBe(201)
  })
})

describe('a limit of an agent', () => {
  const patch = (agents: object) => api.request('PATCH', '/limits', { body: { agents } })

  it('needs the agent, by its name; to remove it needs nobody', async () => {
    const { id } = (await api.post('/agents', { name: 'bounded' })).body
    expect(fieldsOf(await patch({ bounded: { concurrency: 2 }, bouned: { concurrency: 2 } }))).toEqual([
      '#/agents/bouned: there is no agent bouned; register it first, or bound its tasks by tenant or by key',
    ])
    expect(fieldsOf(await patch({ [id]: { concurrency: 2 } }))[0]).toContain(`is the id of agent bounded`)
    expect((await api.get('/limits')).body.agents).toEqual({})
    expect((await patch({ bounded: { concurrency: 2 } })).body.agents.bounded.concurrency).toBe(2)
    await api.request('DELETE', '/agents/bounded')
    expect((await patch({ bounded: null, bouned: null })).body.agents).toEqual({})
  })
})

describe('the kill switch', () => {
  it('does not take a mistyped agent for one that has nothing to do', async () => {
    await api.post('/agents', { name: 'busy', capabilities: [{ name: 'busy' }] })
    const cancel = (agent: string) => api.post('/tasks:cancel', { filter: { agent }, dryRun: true })
    expect((await cancel('busy')).body).toEqual({ matched: 0, cancelled: 0, complete: true })
    expect(await cancel('bsuy')).toMatchObject({ status: 404, body: { detail: 'there is no agent bsuy' } })
  })
})

describe('a choice', () => {
  it.each([
    [{}, '#/shards: expected one of {"list": […]}, {"range"'],
    [{ ranges: [] }, '#/shards: expected one of {"list": […]}, {"range"'],
    [[1], '#/shards: expected one of {"list": […]}, {"range"'],
    [{ range: { from: 0, to: 5 } }, '#/shards/range/size: it is missing: expected a number'],
    [{ range: { from: 0.5, to: 'x', size: 0 } }, '#/shards/range/from: expected a whole number, received 0.5'],
  ])('that is not made is told with its options, one that is made with what is wrong: %j', async (shards, message) => {
    expect(fieldsOf(await submit({ shards }))[0]).toContain(message)
  })

  it('of how shards are joined names both ways', async () => {
    expect(fieldsOf(await submit({ shards: { list: [1] }, join: 'sum' }))).toEqual([
      '#/join: expected "list", or a task that joins the results: {"capability": …}',
    ])
  })

  it('of a lease names both', async () => {
    await api.post('/agents', { name: 'lessee' })
    const { instanceId } = (await api.post('/instances', { agent: 'lessee' })).body
    for (const body of [{}, { max: 1, taskIds: ['tsk_1'] }])
      expect(fieldsOf(await api.post(`/instances/${instanceId}/lease`, body))).toEqual([
        '#: give either max, or taskIds that were received from the queue of the instance',
      ])
  })
})

describe('input of a task', () => {
  const give = async (body: unknown) => {
    const { id } = (await submit({})).body
    return api.post(`/tasks/${id}/input`, body)
  }

  it('says what would be right', async () => {
    const field = async (body: unknown) => fieldsOf(await give(body))[0]
    expect(await field({ records: Array.from({ length: 1001 }, () => 1) })).toBe(
      '#/records: at most 1000 records at once; send the others with further calls',
    )
    for (const body of [
      { records: [1], response: 1 },
      { records: [], response: 1 },
      { end: true, response: null },
    ])
      expect(await field(body)).toContain('#/response: either a response to a task that waits, or records')
    for (const body of [{}, { records: [] }, { end: false }])
      expect(await field(body)).toContain('#/records: give a response to a task that waits, or at least one record')
    expect(await field({ record: [1] })).toBe('#/record: there is no field record; it takes response, records, end')
    expect(await field(null)).toBe('#: expected an object, received null')
  })

  it('is not read beyond what is there', async () => {
    const { id } = (await submit({})).body
    await api.post(`/tasks/${id}/input`, { records: [1, 2, 3] })
    const read = (after: number) => api.get(`/tasks/${id}/input?after=${after}`)
    expect((await read(3)).body).toMatchObject({ records: [], nextAfter: 3 })
    expect(fieldsOf(await read(4))).toEqual([
      '#/query/after: the input has 3 records so far: after is at most 3, and 0 reads from the first on',
    ])
  })
})

describe('what is wrong', () => {
  it('is told of all that is missing at once', async () => {
    expect(fieldsOf(await api.post('/schedules', {}))).toEqual([
      '#/task: name one of task and run',
      '#/cron: name one of cron, rate and at',
    ])
    expect(fieldsOf(await api.post('/tasks', { priority: 'asap' }))).toEqual([
      '#/priority: expected one of low, normal, high, urgent, received "asap"',
      '#/capability: name a capability or an agent',
    ])
  })

  it.each([
    ['abc', 'expected a number, received abc'],
    ['1.5', 'expected a whole number, received 1.5'],
    ['500', 'expected at most 200, received 500'],
    ['', 'expected at least 1, received nothing'],
  ])('of a query is told as it was written: limit=%s', async (limit, message) => {
    expect(fieldsOf(await api.get(`/tasks?limit=${limit}`))).toEqual([`#/query/limit: ${message}`])
  })

  it.each([
    ['/tasks?since=yesterday', 'expected a time with its zone such as 2026-01-31T12:00:00Z, received "yesterday"'],
    ['/tasks?since=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z', 'since is later than until'],
    ['/usage?since=2026-13-01', 'expected a UTC day such as 2026-01-31, or a time such as 2026-01-31T12:00:00Z'],
  ])('of a time comes with one that would be right: %s', async (path, message) => {
    expect(fieldsOf(await api.get(path))).toEqual([`#/query/since: ${message}`])
  })

  it('of the name of a label is its length', async () => {
    for (const name of ['', 'k'.repeat(64)])
      expect(fieldsOf(await submit({ labels: { [name]: 'x' } }))).toEqual([
        `#/labels/${name}: its name does not fit: the name of a label has 1 to 63 characters`,
      ])
    expect((await submit({ labels: { ['k'.repeat(63)]: 'x' } })).status).toBe(202)
  })

  it('of a retry says that its first pause is no longer than the longest', async () => {
    expect(fieldsOf(await submit({ retry: { initialSeconds: 10, maxSeconds: 5 } }))).toEqual([
      '#/retry/initialSeconds: expected at most maxSeconds, which bounds every pause',
    ])
    expect((await submit({ retry: { initialSeconds: 5, maxSeconds: 5 } })).status).toBe(202)
    expect((await submit({ retry: { initialSeconds: 120 } })).status).toBe(202)
  })

  it('is no empty body, which is no JSON', async () => {
    const { status, body } = await api.request('POST', '/tasks', { body: '' })
    expect([status, body.code, body.detail]).toEqual([400, 'MALFORMED_JSON', 'the body is empty; send a JSON object'])
  })

  it('is told once of a field that is beyond two bounds, and of a number that has none', async () => {
    expect(fieldsOf(await submit({ timeoutSeconds: 1_000_000_000_000_000_000 }))).toEqual([
      '#/timeoutSeconds: expected at most 604800, received 1000000000000000000',
    ])
    const body = '{"capability":"a","timeoutSeconds":1e400}'
    expect(fieldsOf(await api.request('POST', '/tasks', { body }))[0]).toContain('a number is beyond')
  })

  it('is shown shortly, whatever was sent', async () => {
    const [field = ''] = fieldsOf(await submit({ priority: 'x'.repeat(10_000) }))
    expect(field.length).toBeLessThan(200)
  })
})

describe('the name of an agent', () => {
  it.each(['..', 'agt_01KB2V7Q5W8S5ZK3M9N1P4R6T8'])('is not %s, which a path would not say', async (name) => {
    const fields = fieldsOf(await api.post('/agents', { name }))
    expect(fields).toEqual([expect.stringMatching(/^#\/name: /)])
  })
})
