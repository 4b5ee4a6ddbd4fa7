import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sweep } from '#functions/sweep/sweep.ts'
import { findTask } from '#shared/domain/tasks/task-store.ts'
import { anApi, anAwsApi, type TestApi } from '#test/support/api.ts'
import { dynoxideBinary } from '#test/support/aws-servers.ts'
import { aRowWorker } from '#test/support/row-worker.ts'
import { until } from '#test/support/server-process.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'

const hosts = [
  { host: 'the embedded host', open: anApi },
  ...(dynoxideBinary() === undefined ? [] : [{ host: 'AWS', open: anAwsApi }]),
]
if (hosts.length === 1) console.warn('left out on AWS: there is no dynoxide for this platform')

let api: TestApi
let worker: Awaited<ReturnType<typeof aRowWorker>>

const finished = (id: string) =>
  until(
    async () => {
      const { body } = await api.get(`/tasks/${id}`)
      return ['SUCCEEDED', 'FAILED', 'CANCELLED'].includes(body.status) && body
    },
    { what: `the end of ${id}`, seconds: 55 },
  )
const submit = async (body: object) => (await api.post('/tasks', { capability: 'square', ...body })).body
const run = async (body: object) => finished((await submit(body)).id)

describe.each(hosts)('a distributed task on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
    worker = await aRowWorker(api, 'math', ['square', 'sum', 'cut'], (input: never, { capability }) => {
      const value = input as unknown as Record<string, never> & number
      if (capability === 'cut') return { result: value }
      if (capability === 'sum') return { result: value }
      if ((value as unknown) === 'bad') return { fails: { code: 'AGENT_ERROR', message: 'not a number' } }
      if ((value as unknown) === 'late') return undefined
      return { result: typeof value === 'number' ? value * value : value }
    })
  })
  afterAll(async () => {
    await worker?.stop()
    await api?.close()
  })

  it('runs its shards as children, and has their results in order', async () => {
    const task = await submit({ shards: { list: [1, 2, 3, 4, 5] }, labels: { team: 'x' } })
    expect(task).toMatchObject({ capability: 'square', agent: null, batch: expect.stringMatching(/^bat_/) })
    const last = await finished(task.id)
    expect(last).toMatchObject({ status: 'SUCCEEDED', result: [1, 4, 9, 16, 25], progress: { percent: 100 } })
    const { items } = (await api.get(`/tasks/${task.id}/children`)).body
    expect(items).toHaveLength(5)
    expect(items[0]).toMatchObject({ parent: task.id, labels: { team: 'x' }, agent: 'math', batch: task.batch })
    expect((await api.get(`/batches/${task.batch}`)).body).toMatchObject({
      task: task.id,
      counts: { total: 5, succeeded: 5 },
    })
    expect((await api.get('/batches')).body.items).toEqual([])
  })

  it('cuts a range into steps, and succeeds at once without any', async () => {
    const last = await run({ shards: { range: { from: 0, to: 25, size: 10 } }, maxInFlight: 1 })
    expect(last.result).toEqual([
      { from: 0, to: 10 },
      { from: 10, to: 20 },
      { from: 20, to: 25 },
    ])
    expect(await run({ shards: { list: [] } })).toMatchObject({ status: 'SUCCEEDED', result: [] })
  })

  it('lets a task make the shards, and another one join them', async () => {
    const last = await run({
      shards: { split: { capability: 'cut', input: [2, 3] } },
      join: { capability: 'sum' },
    })
    expect(last).toMatchObject({ status: 'SUCCEEDED', result: { results: [4, 9], failed: [] } })
    const common = await run({ shards: { list: ['a'] }, input: { base: 7 }, join: { capability: 'sum' } })
    expect(common.result).toEqual({
      results: [{ shard: 'a', input: { base: 7 } }],
      failed: [],
      input: { base: 7 },
    })
  })

  it('fails when a shard does, and names it', async () => {
    const last = await run({ shards: { list: [1, 'bad', 3] } })
    expect(last).toMatchObject({
      status: 'FAILED',
      failure: { code: 'AGENT_ERROR', message: expect.stringContaining('shard 1: AGENT_ERROR: not a number') },
    })
  })

  it('counts and names those that failed, and not those that were cancelled for it', async () => {
    const list = [...Array.from({ length: 6 }, () => 'late'), 'bad', 'late']
    expect((await run({ shards: { list } })).failure).toMatchObject({
      code: 'AGENT_ERROR',
      message: '1 of 8 shards did not succeed, 8 had to; shard 6: AGENT_ERROR: not a number',
    })
  })

  it('succeeds without some of them when a quorum is enough', async () => {
    const last = await run({ shards: { list: [1, 'bad', 3] }, quorum: 0.6, join: { capability: 'sum' } })
    expect(last.result).toMatchObject({ results: [1, null, 9], failed: [{ shard: 1, code: 'AGENT_ERROR' }] })
  })

  it('is cancelled with its shards', async () => {
    const task = await submit({ capability: 'nobody.does.it', shards: { list: [1, 2, 3] } })
    const children = () =>
      until(async () => {
        const { items } = (await api.get(`/tasks/${task.id}/children`)).body
        return items.length === 3 && items
      })
    await children()
    expect((await api.post(`/tasks/${task.id}/cancel`)).body.status).toBe('CANCELLED')
    for (const { id } of await children()) expect((await finished(id)).status).toBe('CANCELLED')
    await until(async () => (await api.get(`/batches/${task.batch}`)).body.state === 'CANCELLED')
  })

  it('refuses what it cannot divide', async () => {
    const pointer = async (body: object) =>
      (await api.post('/tasks', { capability: 'square', ...body })).body.errors?.[0].pointer
    expect(await pointer({ quorum: 2 })).toBe('#/shards')
    expect(await pointer({ shards: { list: [1] }, quorum: 1.5 })).toBe('#/quorum')
    expect(await pointer({ shards: { range: { from: 0, to: 1e9, size: 1 } } })).toContain('#/shards')
    expect(await pointer({ shards: { list: [1] }, join: { input: 1 } })).toContain('#/join')
  })
})

describe('a distributed task and time', () => {
  const clock = aSkewedClock()
  beforeAll(async () => {
    api = await anApi({ clock })
  })
  afterAll(() => api?.close())
  const body = { capability: 'nobody', shards: { list: [1, 2] } }
  const running = async (more = {}) => {
    const { id } = (await api.post('/tasks', { ...body, ...more })).body
    await until(async () => (await api.get(`/tasks/${id}/children`)).body.items.length === 2)
    return id
  }

  it('keeps its lease without an instance, as long as it may', async () => {
    const id = await running({ timeoutSeconds: 600 })
    for (let minutes = 0; minutes < 3; minutes++) {
      clock.forward(61_000)
      await sweep(api.platform)
    }
    expect((await api.get(`/tasks/${id}`)).body).toMatchObject({ status: 'RUNNING', attempt: 1 })
    expect((await api.get(`/tasks/${id}/why`)).body).toMatchObject({ evidence: { shards: { total: 2, done: 0 } } })
    clock.forward(600_000)
    await sweep(api.platform)
    const last = await finished(id)
    expect(last).toMatchObject({ status: 'FAILED', failure: { code: 'TIMEOUT' } })
    for (const child of (await api.get(`/tasks/${id}/children`)).body.items)
      expect((await finished(child.id)).status).toBe('CANCELLED')
  })

  it('says at its deadline that nobody could make its shards', async () => {
    const deadline = new Date(clock.now() + 10_000).toISOString()
    const shards = { split: { capability: 'nobody.cuts' } }
    const { id } = (await api.post('/tasks', { capability: 'nobody', shards, deadline })).body
    await until(async () => (await api.get(`/tasks/${id}/why`)).body.code === 'NO_CAPABLE_AGENT')
    clock.forward(11_000)
    await sweep(api.platform)
    expect((await finished(id)).failure).toMatchObject({
      code: 'NO_CAPABLE_AGENT',
      message: expect.stringMatching(/deadline passed.*no agent offers nobody\.cuts/),
    })
  })

  it('starts when it is to', async () => {
    const runAt = new Date(clock.now() + 3_600_000).toISOString()
    const { id } = (await api.post('/tasks', { ...body, runAt })).body
    expect((await api.get(`/tasks/${id}`)).body.status).toBe('SCHEDULED')
    clock.forward(3_600_001)
    await sweep(api.platform)
    await until(async () => (await api.get(`/tasks/${id}`)).body.status === 'RUNNING')
    await until(async () => (await api.get(`/tasks/${id}/children`)).body.items.length === 2)
  })

  it('is divided again as it was when it is retried', async () => {
    const id = await running({ quorum: 0.5, input: { a: 1 } })
    await api.post(`/tasks/${id}/cancel`)
    const again = (await api.post(`/tasks/${id}/retry`, {})).body
    expect(again).toMatchObject({ capability: 'nobody' })
    expect(again.id).not.toBe(id)
    await until(async () => (await api.get(`/tasks/${again.id}/children`)).body.items.length === 2)
  })

  it('gives its shards the attempts that they had when it is retried', async () => {
    const configuration = { retry: { attempts: 4 } }
    await api.post('/agents', { name: 'tries', capabilities: [{ name: 'tries' }], configuration })
    for (const [more, attempts] of [
      [{}, 3],
      [{ retry: { attempts: 5 } }, 5],
      [{ capability: 'tries' }, 4],
    ] as const) {
      const id = await running(more)
      await api.post(`/tasks/${id}/cancel`)
      const again = (await api.post(`/tasks/${id}/retry`)).body
      expect(again.maxAttempts).toBe(1)
      const shards = await until(async () => {
        const { items } = (await api.get(`/tasks/${again.id}/children`)).body
        return items.length === 2 && items
      })
      expect(shards.map(({ maxAttempts }: { maxAttempts: number }) => maxAttempts)).toEqual([attempts, attempts])
    }
  })

  it('has no shard that is done again while it runs; alone it can be once it has ended', async () => {
    const id = await running({ onFailure: 'continue' })
    const [shard] = (await api.get(`/tasks/${id}/children`)).body.items
    const row = (await findTask(api.platform, 'default', shard.id))?.value.batch?.row
    await api.post(`/tasks/${shard.id}/cancel`)
    expect(await api.post(`/tasks/${shard.id}/retry`)).toMatchObject({
      status: 409,
      body: {
        code: 'CONFLICT',
        detail: `task ${shard.id} is shard ${row} of task ${id}, where it counts as CANCELLED; retry task ${id} when that has ended`,
      },
    })
    await api.post(`/tasks/${id}/cancel`)
    const alone = await api.post(`/tasks/${shard.id}/retry`)
    expect(alone).toMatchObject({ status: 202, body: { retryOf: shard.id } })
    expect(alone.body.parent).toBeUndefined()
  })

  it('fails when what should make its shards, or join them, cannot', async () => {
    const { stop } = await aRowWorker(api, 'wrong', ['wrong', 'right'], (_, { capability }) => ({
      result: capability === 'wrong' ? 'no list' : 1,
    }))
    const messageOf = async (more: object) => {
      const { id } = (await api.post('/tasks', { capability: 'right', ...more })).body
      return (await finished(id)).failure.message
    }
    expect(await messageOf({ shards: { split: { capability: 'wrong' } } })).toContain(
      'answered a string; expected a list',
    )
    await stop()
  })

  it('is refused where what should make its shards, or join them, would be', async () => {
    await api.post('/agents', { name: 'picky', capabilities: [{ name: 'pick', inputSchema: { type: 'object' } }] })
    const list = { shards: { list: [1] } }
    const rows: [object, number, string][] = [
      [{ ...list, join: { agent: 'unknown' } }, 404, '#/join/agent'],
      [{ ...list, join: { agent: 'picky', capability: 'other' } }, 422, '#/join/capability'],
      [{ ...list, join: { agent: 'picky', version: '9.9.9' } }, 422, '#/join/version'],
      [{ shards: { split: { agent: 'unknown' } } }, 404, '#/shards/split/agent'],
      [{ shards: { split: { agent: 'picky', capability: 'other' } } }, 422, '#/shards/split/capability'],
      [{ shards: { split: { capability: 'pick', input: 5 } } }, 422, '#/shards/split/input'],
    ]
    for (const [more, status, pointer] of rows)
      expect(await api.post('/tasks', { capability: 'nobody', ...more })).toMatchObject({
        status,
        body: { errors: [{ pointer, message: expect.any(String) }] },
      })
    for (const more of [{ shards: { split: { capability: 'not.yet' } } }, { ...list, join: { capability: 'not.yet' } }])
      expect((await api.post('/tasks', { capability: 'nobody', ...more })).status).toBe(202)
  })

  it('fails as its submit would where what should join it is gone by then', async () => {
    await api.post('/agents', { name: 'leaver', capabilities: [{ name: 'leave' }] })
    const join = { agent: 'leaver' }
    const { id } = (await api.post('/tasks', { capability: 'alone', shards: { list: [1] }, join })).body
    await api.request('DELETE', '/agents/leaver')
    const { stop } = await aRowWorker(api, 'late', ['alone'], () => ({ result: 1 }))
    expect((await finished(id)).failure).toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('joins its shards was refused: NOT_FOUND: there is no agent leaver'),
    })
    await stop()
  })
})
