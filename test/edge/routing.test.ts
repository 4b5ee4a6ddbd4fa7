import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findTask } from '#shared/domain/tasks/task-store.ts'
import { anApi, anAwsApi, type TestApi } from '#test/support/api.ts'
import { dynoxideBinary } from '#test/support/aws-servers.ts'
import { until } from '#test/support/server-process.ts'
import { type Joined, taskCalls } from '#test/support/task-calls.ts'

const hosts = [
  { host: 'the embedded host', open: () => anApi(), exact: true },
  ...(dynoxideBinary() === undefined ? [] : [{ host: 'AWS', open: () => anAwsApi(), exact: false }]),
]
if (hosts.length === 1) console.warn('left out on AWS: there is no dynoxide for this platform')

let api: TestApi
describe.each(hosts)('routing on $host', ({ open, exact }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  it('sends a task to the agent whose version, class and labels fit, and says how it chose', async () => {
    const { register, submit } = taskCalls(api)
    const capabilities = [{ name: 'paint' }]
    await register('small', { capabilities, version: '1.4.0', resourceClass: 'small' })
    await register('large', { capabilities, version: '2.1.0', resourceClass: 'large', labels: { zone: 'b' } })
    expect(await submit({ capability: 'paint', requirements: { version: '^1' } })).toMatchObject({ agent: 'small' })
    expect(await submit({ capability: 'paint', requirements: { resourceClass: 'large' } })).toMatchObject({
      agent: 'large',
      requirements: { resourceClass: 'large' },
      routing: { reason: 'only large offers paint and meets the requirements' },
    })
    expect(await submit({ capability: 'paint', requirements: { labels: { zone: 'b' } } })).toMatchObject({
      agent: 'large',
    })
    expect(await submit({ capability: 'paint', version: '1.4.0' })).toMatchObject({ agent: 'small' })
    const free = await submit({ capability: 'paint' })
    expect(free.routing).toMatchObject({ reason: expect.stringContaining('has the best score for paint') })
    expect((await api.get(`/tasks/${free.id}/why`)).body.evidence.routing).toEqual(free.routing)
    expect(free.routing.candidates.map(({ agent }: { agent: string }) => agent).toSorted()).toEqual(['large', 'small'])
  })

  it('asks no agent whose schema refuses the input while another takes it; what nobody takes is refused', async () => {
    const { register, submit } = taskCalls(api)
    const strict = { name: 'add', inputSchema: { type: 'object', required: ['numbers'] } }
    await register('strict', { capabilities: [strict] })
    await register('loose', { capabilities: [{ name: 'add', inputSchema: { type: 'object', required: ['a'] } }] })
    for (let time = 0; time < 8; time++)
      expect(await submit({ capability: 'add', input: { a: 1 } })).toMatchObject({
        agent: 'loose',
        routing: { reason: 'only loose offers add for such an input' },
      })
    const refused = await api.post('/tasks', { capability: 'add', input: {} })
    expect(refused).toMatchObject({ status: 422, body: { errors: [{ code: 'SCHEMA' }] } })
  })

  it('has a deadline of four digits, however late it starts', async () => {
    const { register, submit } = taskCalls(api)
    await register('patient')
    const runAt = '9999-12-31T23:59:59.000Z'
    expect(await submit({ capability: 'patient', runAt })).toMatchObject({
      runAt,
      deadline: '9999-12-31T23:59:59.999Z',
    })
  })

  it('accepts what nobody can do yet, says which requirement fails, and runs it when somebody can', async () => {
    const { register, submit } = taskCalls(api)
    const agent = await register('weaver', { version: '1.0.0', resourceClass: 'small' })
    const wishes = [
      [{ version: '>=2' }, 'its version 1.0.0 is not in >=2.0.0'],
      [{ resourceClass: 'large' }, 'its resource class is small, not large'],
      [{ labels: { gpu: 'a100' } }, 'has the labels gpu:a100'],
    ] as const
    for (const [requirements, message] of wishes)
      expect(await submit({ capability: 'weaver', requirements })).toMatchObject({
        status: 'QUEUED',
        agent: null,
        blockedBy: { code: 'NO_CAPABLE_AGENT', message: expect.stringContaining(message) },
      })
    const { id } = await submit({ capability: 'weaver', requirements: { resourceClass: 'large', labels: { a: 'b' } } })
    const patched = await api.request('PATCH', `/agents/${agent.id}`, {
      body: { resourceClass: 'large', labels: { a: 'b' } },
    })
    expect(patched.status).toBe(200)
    const routed = await until(async () => {
      const task = (await api.get(`/tasks/${id}`)).body
      return task.agent === 'weaver' ? task : undefined
    })
    expect(routed.blockedBy).toBeUndefined()
  })

  it('sends what requires labels to an instance that has them, also to one that joins later', async () => {
    const { register, join, submit, ids, leave } = taskCalls(api)
    await register('renderer')
    const plain = await join('renderer', 5)
    const waiting = await submit({ agent: 'renderer', requirements: { labels: { gpu: 'yes' } } })
    expect(waiting.blockedBy).toMatchObject({
      code: 'NO_CAPABLE_AGENT',
      message: expect.stringContaining('no live instance of agent renderer has the labels gpu:yes'),
    })
    expect((await api.get(`/tasks/${waiting.id}/why`)).body.code).toBe('NO_CAPABLE_AGENT')
    expect(await ids(plain, 5)).toEqual([])
    const gpu = await join('renderer', 5, { gpu: 'yes' })
    expect(await ids(gpu, 1, 5)).toEqual([waiting.id])
    const next = await submit({ agent: 'renderer', requirements: { labels: { gpu: 'yes' } } })
    expect(next.blockedBy).toBeUndefined()
    if (exact) expect(await ids(plain, 5)).toEqual([])
    await until(async () => ((await ids(gpu, 1, 1))[0] === next.id ? true : undefined))
    await leave(plain)
  })

  it('sends what waits for a busy instance with its labels to another one that joins or is free', async () => {
    const { register, join, submit, lease, ids, end } = taskCalls(api)
    await register('etcher')
    await join('etcher', 5)
    const wish = { agent: 'etcher', requirements: { labels: { gpu: 'a' } } }
    const first = await join('etcher', 1, { gpu: 'a' })
    await submit(wish)
    const [a] = await lease(first, 1, 5)
    const waiting = await submit(wish)
    expect((await api.get(`/tasks/${waiting.id}/why`)).body).toMatchObject({
      code: 'ALL_SLOTS_BUSY',
      message: expect.stringContaining('1 of 1 slots of etcher with the labels gpu:a are busy'),
      evidence: { labels: { gpu: 'a' } },
    })
    const second = await join('etcher', 1, { gpu: 'a' })
    const got = await until(async () => (await lease(second, 1, 1))[0], { seconds: 20, what: 'the lease' })
    expect(got.taskId).toBe(waiting.id)
    const next = await submit(wish)
    const place = (await findTask(api.platform, 'default', next.id))?.value.pinnedTo
    const [other, its] = place === first.instanceId ? [second, got] : [first, a]
    if (its) await end(its, other)
    await until(async () => (await ids(other, 1, 1)).includes(next.id), { seconds: 20, what: 'the free slot' })
  })

  it('refuses what contradicts itself, by its field', async () => {
    const { register } = taskCalls(api)
    await register('clerk', { version: '1.0.0', resourceClass: 'small' })
    const soon = new Date(Date.now() + 60_000).toISOString()
    const rows: [object, string, string][] = [
      [{ version: '1.0.0', requirements: { version: '^2' } }, '#/requirements/version', 'CONTRADICTION'],
      [{ requirements: { version: 'newest' } }, '#/requirements/version', 'RANGE'],
      [{ agent: 'clerk', requirements: { resourceClass: 'large' } }, '#/requirements/resourceClass', 'NOT_MET'],
      [{ agent: 'clerk', requirements: { version: '>1' } }, '#/requirements/version', 'NOT_MET'],
      [{ runAt: soon, deadline: soon }, '#/deadline', 'CONTRADICTION'],
      [{ deadline: '2020-01-01T00:00:00Z' }, '#/deadline', 'PAST'],
      [{ version: '^1.0.0' }, '#/version', 'INVALID_FORMAT'],
      [{ version: 'latest', agent: 'clerk' }, '#/version', 'INVALID_FORMAT'],
    ]
    for (const [body, pointer, code] of rows) {
      const { agent } = body as { agent?: string }
      const answer = await api.post('/tasks', { ...(agent === undefined && { capability: 'clerk' }), ...body })
      expect(answer).toMatchObject({ status: 422, body: { errors: [{ pointer, code }] } })
    }
  })

  it('runs tasks of one affinity key on one instance while it is there, and elsewhere after that', async () => {
    const { register, join, submit, ids, leave } = taskCalls(api)
    await register('cacher')
    const [home, other] = [await join('cacher', 20), await join('cacher', 20)]
    const first = await submit({ capability: 'cacher', affinityKey: 'cart-1' })
    expect(await ids(home, 1, 5)).toEqual([first.id])
    const more = await Promise.all(
      Array.from({ length: 4 }, () => submit({ capability: 'cacher', affinityKey: 'cart-1' })),
    )
    expect(await ids(other, 20)).toEqual([])
    const got: string[] = []
    await until(
      async () => {
        got.push(...(await ids(home, 20, 1)))
        return got.length === more.length ? true : undefined
      },
      { seconds: 20 },
    )
    expect(got.toSorted()).toEqual(more.map(({ id }) => id).toSorted())
    const last = await submit({ capability: 'cacher', affinityKey: 'cart-1' })
    await leave(home)
    const after: string[] = []
    await until(
      async () => {
        after.push(...(await ids(other, 20, 1)))
        return after.includes(last.id) ? true : undefined
      },
      { seconds: 20 },
    )
  })

  /** An agent of its own whose task stands still in some way until `back` is called; answers its id. */
  type Stands = (name: string, joined: Joined) => Promise<{ id: string; back?: () => Promise<unknown> }>
  const standing: Record<string, Stands> = {
    'waits for input': async (name, joined) => {
      const { submit, lease } = taskCalls(api)
      const { id } = await submit({ capability: name })
      const [{ fence } = { fence: '' }] = await lease(joined, 1, 5)
      await api.post(`/tasks/${id}/wait`, { fence, kind: 'input', prompt: 'how?' }, { key: joined.token })
      return { id, back: () => api.post(`/tasks/${id}/input`, { response: 1 }) }
    },
    'waits for an approval': async (name, joined) => {
      const { submit, lease } = taskCalls(api)
      const { id } = await submit({ capability: name })
      const [{ fence } = { fence: '' }] = await lease(joined, 1, 5)
      const asked = { fence, kind: 'approval', prompt: 'may I?' }
      const { waiting } = (await api.post(`/tasks/${id}/wait`, asked, { key: joined.token })).body
      return { id, back: () => api.post(`/approvals/${waiting.approval}/approve`, {}) }
    },
    'runs on an instance that leaves': async (name, joined) => {
      const { submit, lease, leave } = taskCalls(api)
      const { id } = await submit({ capability: name })
      await lease(joined, 1, 5)
      return { id, back: () => leave(joined) }
    },
    'is held by a limit': async (name, joined) => {
      const { submit, lease, ids, end } = taskCalls(api)
      await api.request('PATCH', '/limits', { body: { keys: { [name]: { concurrency: 1 } } } })
      await submit({ capability: name, fairnessKey: name })
      const [first] = await lease(joined, 1, 5)
      const { id } = await submit({ capability: name, fairnessKey: name })
      expect(await ids(joined, 1, 1)).toEqual([])
      await until(async () => (await api.get(`/tasks/${id}`)).body.blockedBy?.code === 'LIMIT')
      return { id, back: async () => first && end(first, joined) }
    },
    'waits for the instance of its key': async (name, joined) => {
      const { submit, lease } = taskCalls(api)
      await submit({ capability: name, affinityKey: 'a' })
      await lease(joined, 1, 5)
      return submit({ capability: name, affinityKey: 'a' })
    },
    'waits for labels that no instance has': async (name, joined) => {
      const { submit, join, leave } = taskCalls(api)
      const labelled = await join(name, 1, { gpu: 'b' })
      const waiting = await submit({ agent: name, capability: name, requirements: { labels: { gpu: 'b' } } })
      await leave(labelled)
      await until(async () => (await api.get(`/tasks/${waiting.id}`)).body.blockedBy?.code === 'NO_CAPABLE_AGENT')
      expect(joined.instanceId).toBeDefined()
      return waiting
    },
  }
  it.each(Object.keys(standing))('hands on at once what %s when its agent is gone', async (how) => {
    const { register, join, ids } = taskCalls(api)
    const name = `gone-${Object.keys(standing).indexOf(how)}`
    await register(name)
    const { id, back } = (await standing[how]?.(name, await join(name, 3))) ?? { id: '' }
    expect((await api.request('DELETE', `/agents/${name}`)).status).toBe(204)
    await register(`${name}-heir`, { capabilities: [{ name }], labels: { gpu: 'b' } })
    const heir = await join(`${name}-heir`, 3)
    await back?.()
    await until(async () => (await ids(heir, 1, 1)).includes(id), { seconds: 20, what: 'the lease' })
  })
})
