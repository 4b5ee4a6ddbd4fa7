import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { digest } from '#shared/domain/ids.ts'
import { anApi, anAwsApi, type TestApi } from '#test/support/api.ts'
import { dynoxideBinary } from '#test/support/aws-servers.ts'
import { aRowWorker, type RowTask } from '#test/support/row-worker.ts'
import { until } from '#test/support/server-process.ts'

const hosts = [
  { host: 'the embedded host', open: anApi },
  ...(dynoxideBinary() === undefined ? [] : [{ host: 'AWS', open: anAwsApi }]),
]
if (hosts.length === 1) console.warn('left out on AWS: there is no dynoxide for this platform')

let api: TestApi

/** An object with these lines. */
const upload = async (lines: string[]): Promise<{ $ref: string }> => {
  const { id } = (await api.post('/objects', { contentType: 'application/jsonl' })).body
  await api.platform.objects.put({ tenant: 'default', id }, Buffer.from(lines.join('\n')))
  return { $ref: id }
}
const rowsOf = (count: number) => Array.from({ length: count }, (_, n) => JSON.stringify({ n }))

type Input = { n: number }
/** Completes rows, and fails those that are bad. */
const worker = (name: string, isBad: (input: Input) => boolean = () => false) =>
  aRowWorker(api, name, [name], (row: never) => {
    const input = row as Input
    return isBad(input) ? { fails: { code: 'AGENT_ERROR', message: `not ${input.n}` } } : { result: input.n }
  })
const numbersOf = (ran: RowTask[]) => ran.map(({ input }) => (input as Input).n).sort((a, b) => a - b)

const ended = (id: string) =>
  until(
    async () => {
      const { body } = await api.get(`/batches/${id}`)
      return body.state !== 'RUNNING' && body
    },
    { what: `the end of ${id}`, seconds: 55 },
  )
const reportOf = async ({ report }: { report: { $ref: string } }) => {
  const found = await api.platform.objects.get({ tenant: 'default', id: report.$ref })
  const lines = (await new Response(found?.body).text()).split('\n').filter(Boolean)
  return lines.map((line) => JSON.parse(line))
}
const create = async (body: object, headers = {}) => api.post('/batches', body, { headers })

describe.each(hosts)('a batch on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  it('makes a task of each row, and ends when they have', async () => {
    const { ran, stop } = await worker('bat.all')
    const task = { capability: 'bat.all', labels: { job: 'all' }, priority: 'low' }
    const made = await create({ input: await upload(rowsOf(120)), task, maxInFlight: 60, name: 'all' })
    expect(made).toMatchObject({ status: 202, body: { state: 'RUNNING', name: 'all', maxInFlight: 60 } })
    expect(made.headers.get('location')).toBe(`/api/v2/batches/${made.body.id}`)
    const last = await ended(made.body.id)
    expect(last).toMatchObject({
      state: 'SUCCEEDED',
      percent: 100,
      counts: { total: 120, submitted: 120, succeeded: 120, failed: 0, cancelled: 0 },
      finishedAt: expect.any(String),
    })
    expect(last.report).toBeUndefined()
    expect(numbersOf(ran)).toEqual(Array.from({ length: 120 }, (_, n) => n))
    const [first] = ran
    const shown = (await api.get(`/tasks/${first?.taskId}`)).body
    expect(shown).toMatchObject({ batch: made.body.id, priority: 'low', labels: { job: 'all' } })
    expect((await api.get('/batches')).body.items.map(({ id }: { id: string }) => id)).toEqual([made.body.id])
    await stop()
  })

  it('says of each row why it is no task, of the first one too', async () => {
    const rows = ['no JSON', JSON.stringify({ $ref: 'obj_nope' })]
    const { body } = await create({ input: await upload(rows), task: { capability: 'bat.none' } })
    const last = await ended(body.id)
    expect(last).toMatchObject({ state: 'FAILED', counts: { total: 2, failed: 2 } })
    expect(await reportOf(last)).toEqual([
      { line: 1, code: 'INVALID', message: expect.stringContaining('the line is not JSON') },
      { line: 2, code: 'INVALID', message: expect.stringContaining('"obj_nope" is no id of an object') },
    ])
  })

  it('tells which rows failed, by line, also those that could not be tasks', async () => {
    const { stop } = await worker('bat.some', ({ n }) => n === 2)
    const lines = ['{"n":1}', 'not json', '{"n":2}', '', '{"n":3}']
    const { id } = (await create({ input: await upload(lines), task: { capability: 'bat.some' } })).body
    const last = await ended(id)
    expect(last).toMatchObject({ state: 'PARTIAL', counts: { total: 5, succeeded: 2, failed: 3 } })
    expect(await reportOf(last)).toMatchObject([
      { line: 2, code: 'INVALID', message: expect.stringContaining('not JSON') },
      { line: 3, task: expect.stringMatching(/^tsk_/), code: 'AGENT_ERROR', message: 'not 2' },
      { line: 4, code: 'INVALID' },
    ])
    expect((await api.get(`/objects/${last.report.$ref}`)).body.state).toBe('STORED')
    await stop()
  })

  it('takes rows that are whole bodies of a submit, and says what is wrong with one', async () => {
    const { ran, stop } = await worker('bat.whole')
    const lines = [
      '{"capability":"bat.whole","input":{"n":4}}',
      '{"capability":"bat.whole","inputs":1}',
      '{"agent":"x"}',
    ]
    const last = await ended((await create({ input: await upload(lines) })).body.id)
    expect(last).toMatchObject({ state: 'PARTIAL', counts: { total: 3, succeeded: 1, failed: 2 } })
    expect(numbersOf(ran)).toEqual([4])
    expect(await reportOf(last)).toMatchObject([
      { line: 2, code: 'INVALID', message: expect.stringContaining('#/inputs') },
      { line: 3, code: 'NOT_FOUND' },
    ])
    await stop()
  })

  it('stops after too many failures, and leaves the rest alone', async () => {
    const { stop } = await worker('bat.stops', () => true)
    const task = { capability: 'bat.stops' }
    const body = { input: await upload(rowsOf(500)), task, maxInFlight: 8, onFailure: 'stop', maxFailures: 2 }
    const last = await ended((await create(body)).body.id)
    expect(last).toMatchObject({
      state: 'FAILED',
      message: expect.stringMatching(/^\d+ rows failed, more than 2 may$/),
    })
    expect(last.counts.submitted).toBeLessThan(50)
    expect(last.counts.failed + last.counts.cancelled).toBe(last.counts.submitted)
    await stop()
  })

  it('is cancelled with what it submitted', async () => {
    const task = { capability: 'bat.nobody' }
    const { id } = (await create({ input: await upload(rowsOf(90)), task, maxInFlight: 30 })).body
    await until(async () => (await api.get(`/batches/${id}`)).body.counts.submitted === 30)
    expect((await api.post(`/batches/${id}/cancel`)).status).toBe(200)
    const last = await ended(id)
    expect(last).toMatchObject({ state: 'CANCELLED', counts: { submitted: 30, cancelled: 30 } })
    expect((await reportOf(last))[0]).toMatchObject({ line: 1, code: 'CANCELLED' })
    expect((await api.post(`/batches/${id}/cancel`)).status).toBe(200)
    const { items } = (await api.get('/tasks?capability=bat.nobody&status=CANCELLED')).body
    expect(items).toHaveLength(30)
  })

  it('ends at once without rows', async () => {
    const last = await ended((await create({ input: await upload([]), task: { capability: 'x' } })).body.id)
    expect(last).toMatchObject({ state: 'SUCCEEDED', counts: { total: 0 }, percent: 100 })
    expect((await api.post(`/batches/${last.id}/cancel`)).body.code).toBe('ALREADY_FINISHED')
  })

  it('submits what it was created with, whatever else comes under its key', async () => {
    const input = await upload(rowsOf(4))
    const more = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`label-${n}`, 'x'.repeat(30)]))
    const task = (which: string) => ({ capability: 'bat.firm', labels: { ...more, which } })
    const headers = { 'idempotency-key': 'firm' }
    const { body } = await create({ input, task: task('first'), maxInFlight: 1 }, headers)
    const second = await create({ input, task: task('second'), maxInFlight: 1 }, headers)
    expect([second.status, second.body.code]).toEqual([409, 'IDEMPOTENCY_CONFLICT'])
    const { ran, stop } = await worker('bat.firm')
    expect(await ended(body.id)).toMatchObject({ state: 'SUCCEEDED', counts: { succeeded: 4 } })
    for (const { taskId } of ran) expect((await api.get(`/tasks/${taskId}`)).body.labels.which).toBe('first')
    await stop()
  })

  it('is answered again under its key also when it could not be created any more', async () => {
    const body = { input: await upload([]), task: { capability: 'bat.again' } }
    const headers = { 'idempotency-key': 'again' }
    const { id } = (await create(body, headers)).body
    await ended(id)
    await api.platform.objects.delete({ tenant: 'default', id: body.input.$ref })
    expect(await create(body, headers)).toMatchObject({ status: 202, body: { id } })
    expect((await create(body)).status).toBe(422)
  })

  it('is the same under the same key, and refuses what cannot be one', async () => {
    const input = await upload(['1'])
    const body = { input, task: { capability: 'bat.key' } }
    const headers = { 'idempotency-key': 'bat-1' }
    const first = (await create(body, headers)).body
    expect((await create(body, headers)).body.id).toBe(first.id)
    expect((await create({ ...body, maxInFlight: 5 }, headers)).body.code).toBe('IDEMPOTENCY_CONFLICT')
    const pointer = async (wrong: object) => (await create({ ...body, ...wrong })).body.errors[0].pointer
    expect(await pointer({ input: { $ref: 'obj_00000000000000000000000000' } })).toBe('#/input/$ref')
    expect(await pointer({ task: { capability: 'x', input: 1 } })).toBe('#/task/input')
    expect(await pointer({ task: { capability: 'x', deadline: '2020-01-01T00:00:00Z' } })).toBe('#/task/deadline')
    expect(await pointer({ task: {} })).toBe('#/task/capability')
    expect(await pointer({ maxInFlight: 0 })).toBe('#/maxInFlight')
    expect((await api.get('/batches/bat_00000000000000000000000000')).status).toBe(404)
  })

  it('is refused where every row would be', async () => {
    const inputSchema = { type: 'object', required: ['n'] }
    await api.post('/agents', { name: 'bat.strict', capabilities: [{ name: 'bat.strict', inputSchema }] })
    const input = await upload(rowsOf(1))
    const capability = 'bat.strict'
    const rows: [object, number, string][] = [
      [{ agent: 'nobody' }, 404, '#/task/agent'],
      [{ agent: 'bat.strict', capability: 'other' }, 422, '#/task/capability'],
      [{ agent: 'bat.strict', requirements: { version: '>=9' } }, 422, '#/task/requirements/version'],
      [{ capability, requirements: { version: 'zzz' } }, 422, '#/task/requirements/version'],
      [{ capability, callback: { url: 'http://127.0.0.1/' } }, 422, '#/task/callback/url'],
      [{ capability, parent: 'tsk_00000000000000000000000000' }, 422, '#/task/parent'],
      [{ capability, shards: { list: [1] }, join: { agent: 'nobody' } }, 404, '#/task/join/agent'],
    ]
    for (const [task, status, pointer] of rows)
      expect(await create({ input, task })).toMatchObject({ status, body: { errors: [{ pointer }] } })
    expect(await create({ input, task: { agent: 'bat.strict' } })).toMatchObject({ status: 202 })
  })
})

describe.each(hosts)('several tasks in one call on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  it('have an outcome each, and one key for all', async () => {
    const tasks = [
      { capability: 'some.one', input: 1 },
      { capability: 'some.one', colour: 'red' },
      { agent: 'nobody' },
      { capability: 'some.one', input: 4, idempotencyKey: 'own' },
    ]
    const submit = () => api.post('/tasks:batch', { tasks }, { headers: { 'idempotency-key': 'many' } })
    const { status, body } = await submit()
    expect(status).toBe(200)
    expect(body.items).toMatchObject([
      { index: 0, status: 202, task: { capability: 'some.one', status: 'QUEUED' } },
      { index: 1, status: 422, problem: { code: 'INVALID', errors: [{ pointer: '#/colour', code: 'UNKNOWN_FIELD' }] } },
      { index: 2, status: 404, problem: { code: 'NOT_FOUND' } },
      { index: 3, status: 202 },
    ])
    const again = (await submit()).body.items
    expect([again[0].task.id, again[3].task.id]).toEqual([body.items[0].task.id, body.items[3].task.id])
    const own = { headers: { 'idempotency-key': 'own' } }
    expect((await api.post('/tasks', { capability: 'some.one', input: 4 }, own)).body.id).toBe(body.items[3].task.id)
  })

  it('are refused as a whole under a key that other tasks have, and nothing of them is submitted', async () => {
    const submit = (tasks: object[]) => api.post('/tasks:batch', { tasks }, { headers: { 'idempotency-key': 'taken' } })
    const tasks = [{ capability: 'some.taken', input: 1 }]
    const first = await submit(tasks)
    const other = [...tasks, { capability: 'some.taken', input: 2 }]
    const claim = await api.platform.main.get({ pk: `default#submits#${digest('taken')}`, sk: 'head' })
    expect(claim?.expiresAt).toBeGreaterThan(api.platform.clock.now())
    for (const body of [other, [{ capability: 'some.taken', input: 3 }], []])
      expect((await submit(body)).status).toBe(body.length === 0 ? 422 : 409)
    expect((await submit(other)).body.code).toBe('IDEMPOTENCY_CONFLICT')
    expect((await submit(tasks)).body.items[0].task.id).toBe(first.body.items[0].task.id)
    expect((await api.get('/tasks?capability=some.taken')).body.items).toHaveLength(1)
  })

  it('are at least one and at most a hundred', async () => {
    for (const count of [0, 101]) {
      const tasks = Array.from({ length: count }, () => ({ capability: 'some.one' }))
      const { status, body } = await api.post('/tasks:batch', { tasks })
      expect([status, body.errors?.[0].pointer]).toEqual([422, '#/tasks'])
    }
  })
})
