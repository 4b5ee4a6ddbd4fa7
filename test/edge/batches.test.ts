import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anApi, anAwsApi, type TestApi } from '#test/support/api.ts'
import { dynoxideBinary } from '#test/support/aws-servers.ts'
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

type Leased = { taskId: string; fence: string; input: { n: number } }
/** An instance that completes what it is given, or fails it, until it is stopped. */
const worker = async (name: string, isBad: (input: { n: number }) => boolean = () => false) => {
  await api.post('/agents', { name, capabilities: [{ name }] })
  const { instanceId, token } = (await api.post('/instances', { agent: name, slots: 100 })).body
  const ran: number[] = []
  let stopped = false
  const one = async ({ taskId, fence, input }: Leased) => {
    ran.push(input.n)
    const bad = { fence, code: 'AGENT_ERROR', message: `not ${input.n}`, retryable: false }
    await (isBad(input)
      ? api.post(`/tasks/${taskId}/fail`, bad, { key: token })
      : api.post(`/tasks/${taskId}/complete`, { fence, result: input.n }, { key: token }))
  }
  const loop = (async () => {
    while (!stopped) {
      const { body } = await api.post(`/instances/${instanceId}/lease?wait=1`, { max: 50 }, { key: token })
      await Promise.all(body.tasks.map(one))
    }
  })()
  return {
    ran,
    async stop() {
      stopped = true
      await loop
    },
  }
}
const ended = (id: string) =>
  until(
    async () => {
      const { body } = await api.get(`/batches/${id}`)
      return body.state !== 'RUNNING' && body
    },
    { what: `the end of ${id}`, seconds: 30 },
  )
const reportOf = async ({ report }: { report: { $ref: string } }) => {
  const found = await api.platform.objects.get({ tenant: 'default', id: report.$ref })
  const text = await new Response(found?.body).text()
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

describe.each(hosts)('a batch on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  }, 30_000)
  afterAll(() => api?.close())

  it('makes a task of each row, no more than its window at a time, and ends when they have', async () => {
    const { ran, stop } = await worker('bat.all')
    const body = { input: await upload(rowsOf(300)), task: { capability: 'bat.all' }, maxInFlight: 40, name: 'all' }
    const made = await api.post('/batches', body)
    expect(made).toMatchObject({ status: 202, body: { state: 'RUNNING', name: 'all', maxInFlight: 40 } })
    const last = await ended(made.body.id)
    expect(last).toMatchObject({
      state: 'SUCCEEDED',
      percent: 100,
      counts: { total: 300, submitted: 300, succeeded: 300, failed: 0, cancelled: 0 },
      finishedAt: expect.any(String),
    })
    expect(last.report).toBeUndefined()
    expect(ran.sort((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, n) => n))
    await stop()
  }, 40_000)

  it('tells which rows failed, by line, also those that could not be tasks', async () => {
    const { stop } = await worker('bat.some', ({ n }) => n === 2)
    const lines = ['{"n":1}', 'not json', '{"n":2}', '', '{"n":3}']
    const { id } = (await api.post('/batches', { input: await upload(lines), task: { capability: 'bat.some' } })).body
    const last = await ended(id)
    expect(last).toMatchObject({ state: 'PARTIAL', counts: { total: 5, succeeded: 2, failed: 3 } })
    expect(await reportOf(last)).toMatchObject([
      { line: 2, code: 'INVALID', message: expect.stringContaining('not JSON') },
      { line: 3, task: expect.stringMatching(/^tsk_/), code: 'AGENT_ERROR', message: 'not 2' },
      { line: 4, code: 'INVALID' },
    ])
    expect((await api.get(`/objects/${last.report.$ref}`)).body.state).toBe('STORED')
    await stop()
  }, 40_000)
})
