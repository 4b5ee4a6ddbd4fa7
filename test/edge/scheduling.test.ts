import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anApi, anAwsApi, type TestApi } from '#test/support/api.ts'
import { dynoxideBinary } from '#test/support/aws-servers.ts'
import { until } from '#test/support/server-process.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'

const hosts = [
  { host: 'the embedded host', open: () => anApi(), exact: true },
  ...(dynoxideBinary() === undefined ? [] : [{ host: 'AWS', open: () => anAwsApi(), exact: false }]),
]
if (hosts.length === 1) console.warn('left out on AWS: there is no dynoxide for this platform')

type Joined = { instanceId: string; token: string }
type Leased = { taskId: string; fence: string }

/** What the tests ask of an API. */
const calls = (api: TestApi) => {
  const lease = async (joined: Joined, max = 1, wait = 0): Promise<Leased[]> =>
    (await api.post(`/instances/${joined.instanceId}/lease?wait=${wait}`, { max }, { key: joined.token })).body.tasks
  return {
    lease,
    register: async (name: string, more = {}) =>
      (await api.post('/agents', { name, capabilities: [{ name }], ...more })).body,
    join: async (agent: string, slots = 1, labels = {}): Promise<Joined> =>
      (await api.post('/instances', { agent, slots, labels })).body,
    leave: (joined: Joined) => api.request('DELETE', `/instances/${joined.instanceId}`, { key: joined.token }),
    submit: async (body: object) => (await api.post('/tasks', body)).body,
    end: ({ taskId, fence }: Leased, joined: Joined) =>
      api.post(`/tasks/${taskId}/complete`, { fence, result: 1 }, { key: joined.token }),
    ids: async (joined: Joined, max = 1, wait = 0) => (await lease(joined, max, wait)).map(({ taskId }) => taskId),
  }
}

let api: TestApi
describe.each(hosts)('routing on $host', ({ open, exact }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  it('sends a task to the agent whose version, class and labels fit, and says how it chose', async () => {
    const { register, submit } = calls(api)
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
    const { register, submit } = calls(api)
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
    const { register, submit } = calls(api)
    await register('patient')
    const runAt = '9999-12-31T23:59:59.000Z'
    expect(await submit({ capability: 'patient', runAt })).toMatchObject({
      runAt,
      deadline: '9999-12-31T23:59:59.999Z',
    })
  })

  it('accepts what nobody can do yet, says which requirement fails, and runs it when somebody can', async () => {
    const { register, submit } = calls(api)
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
    const { register, join, submit, ids, leave } = calls(api)
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

  it('refuses what contradicts itself, by its field', async () => {
    const { register } = calls(api)
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
    const { register, join, submit, ids, leave } = calls(api)
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

  it('hands urgent tasks out before high, normal and low ones', async () => {
    const { register, join, submit, lease } = calls(api)
    await register('desk')
    const joined = await join('desk', 10)
    const lanes = ['low', 'normal', 'high', 'urgent']
    for (const priority of lanes) await submit({ capability: 'desk', priority })
    const order: string[] = []
    await until(async () => {
      for (const { taskId } of await lease(joined, 1, 1)) order.push((await api.get(`/tasks/${taskId}`)).body.priority)
      return order.length === 4 ? true : undefined
    })
    expect(order).toEqual(lanes.toReversed())
  })

  it('keeps slots free for the upper lanes, also of an instance that asks for one at a time', async () => {
    const { register, join, submit, lease, end, ids } = calls(api)
    await register('guard', { configuration: { reservedSlots: 2 } })
    const joined = await join('guard', 4)
    for (let at = 0; at < 4; at++) await submit({ capability: 'guard' })
    const running: Leased[] = []
    for (let tries = 0; tries < 6; tries++) running.push(...(await lease(joined, 1)))
    expect(running).toHaveLength(2)
    const urgent = await submit({ capability: 'guard', priority: 'urgent' })
    expect(await ids(joined, 1, 5)).toEqual([urgent.id])
    expect(await ids(joined, 1)).toEqual([])
    for (const one of running) await end(one, joined)
    expect(await ids(joined, 1, 5)).toHaveLength(1)
  })
})

describe('order on the embedded host', () => {
  const clock = aSkewedClock()
  beforeAll(async () => {
    api = await anApi({ clock })
  })
  afterAll(() => api?.close())

  it('takes turns between the values of the label that an agent names, else between submitters', async () => {
    const { register, join, ids, submit } = calls(api)
    await register('press', { configuration: { fairnessLabel: 'team' } })
    const joined = await join('press', 10)
    const red = [await submit({ capability: 'press', labels: { team: 'red' } })]
    red.push(await submit({ capability: 'press', labels: { team: 'red' } }))
    const blue = await submit({ capability: 'press', labels: { team: 'blue' } })
    expect([red[0].fairnessKey, blue.fairnessKey]).toEqual(['red', 'blue'])
    expect(await ids(joined, 9)).toEqual([red[0].id, blue.id, red[1].id])
    expect((await submit({ capability: 'press' })).fairnessKey).toMatch(/^key/)
  })

  it('takes the earliest deadline first among equals, and starts nothing after it', async () => {
    const { register, join, ids, submit } = calls(api)
    await register('post')
    const joined = await join('post', 10)
    const within = (seconds?: number) =>
      submit({
        capability: 'post',
        ...(seconds !== undefined && { deadline: new Date(clock.now() + seconds * 1000).toISOString() }),
      })
    const [none, late, soon, soonest] = [await within(), await within(900), await within(60), await within(20)]
    clock.forward(21_000)
    expect(await ids(joined, 9)).toEqual([soon.id, late.id, none.id])
    const ended = await until(async () => {
      const task = (await api.get(`/tasks/${soonest.id}`)).body
      return task.status === 'FAILED' ? task : undefined
    })
    expect(ended).toMatchObject({ failure: { code: 'DEADLINE' }, attempt: 0 })
  })

  it('lets a low task that waited half a minute go first once in ten, and never before two urgent ones', async () => {
    const { register, join, lease, submit } = calls(api)
    await register('hall')
    const low = await submit({ capability: 'hall', priority: 'low' })
    clock.forward(31_000)
    for (let at = 0; at < 15; at++) await submit({ capability: 'hall', priority: 'urgent' })
    const joined = await join('hall', 40)
    const order: string[] = []
    for (let at = 0; at < 16; at++) order.push((await lease(joined))[0]?.taskId ?? '')
    expect(order.indexOf(low.id)).toBe(9)
  })

  it('lets low tasks flow to an instance that asks for one at a time, all but its last slots', async () => {
    const { register, join, lease, submit, end } = calls(api)
    await register('slow')
    const joined = await join('slow', 10)
    for (let at = 0; at < 12; at++) await submit({ capability: 'slow', priority: 'low' })
    const side = await Promise.all(Array.from({ length: 10 }, () => lease(joined, 1)))
    const running = side.flat()
    for (let at = 0; at < 10; at++) running.push(...(await lease(joined, 1)))
    expect(running).toHaveLength(9)
    const waiting = lease(joined, 1, 5)
    for (const one of running.slice(0, 2)) await end(one, joined)
    expect(await waiting).toHaveLength(1)
  })
})

describe('many tasks on the embedded host', () => {
  beforeAll(async () => {
    api = await anApi()
  })
  afterAll(() => api?.close())

  /** So many hundreds of a task. */
  const flood = async (hundreds: number, task: object): Promise<void> => {
    const tasks = Array.from({ length: 100 }, () => task)
    await Promise.all(Array.from({ length: hundreds }, () => api.post('/tasks:batch', { tasks })))
  }

  it('hands a low task to a call that waits as soon as one of its slots is free again', async () => {
    const { register, join, submit, lease, end } = calls(api)
    await register('bench')
    const joined = await join('bench', 2)
    for (let at = 0; at < 12; at++) await submit({ capability: 'bench', priority: 'low' })
    let [running] = await lease(joined, 2)
    const began = performance.now()
    for (let round = 0; round < 10; round++) {
      const waiting = lease(joined, 1, 5)
      await end(running as Leased, joined)
      ;[running] = await waiting
      expect(running).toBeDefined()
    }
    expect(performance.now() - began).toBeLessThan(4000) // ten looks at intervals would take longer
  })

  it('starts a thousand normal tasks at once on an instance with as many slots', async () => {
    const { register, join, ids } = calls(api)
    await register('wide')
    const joined = await join('wide', 1000)
    await flood(10, { capability: 'wide' })
    expect(await ids(joined, 1000)).toHaveLength(1000)
  })

  it('starts the first task of a key within a turn of 10,000 of another one', async () => {
    const { register, join, ids, submit } = calls(api)
    await register('shop')
    await flood(100, { capability: 'shop', fairnessKey: 'noisy' })
    const joined = await join('shop', 100)
    expect(await ids(joined, 3)).toHaveLength(3)
    const quiet = await submit({ capability: 'shop', fairnessKey: 'quiet' })
    expect(await ids(joined, 2)).toContain(quiet.id)
  })
})
