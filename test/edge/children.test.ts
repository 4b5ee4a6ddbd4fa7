import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sweep } from '#functions/sweep/sweep.ts'
import type { Caller } from '#shared/domain/caller.ts'
import { cancelBySystem } from '#shared/domain/tasks/cancel-children.ts'
import { treeLimits } from '#shared/domain/tasks/lineage.ts'
import { submitTask } from '#shared/domain/tasks/submit-task.ts'
import { getTask } from '#shared/domain/tasks/task-store.ts'
import type { Platform } from '#shared/platform/platform.ts'
import { anApi, anAwsApi, type TestApi } from '#test/support/api.ts'
import { dynoxideBinary } from '#test/support/aws-servers.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { until } from '#test/support/server-process.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'

const hosts = [
  { host: 'the embedded host', open: anApi },
  ...(dynoxideBinary() === undefined ? [] : [{ host: 'AWS', open: anAwsApi }]),
]
if (hosts.length === 1) console.warn('left out on AWS: there is no dynoxide for this platform')

let api: TestApi

type Joined = { instanceId: string; token: string }
const join = async (name: string): Promise<Joined> => {
  await api.post('/agents', { name, capabilities: [{ name }] })
  return (await api.post('/instances', { agent: name })).body
}
const lease = async (joined: Joined) =>
  (await api.post(`/instances/${joined.instanceId}/lease?wait=5`, { max: 1 }, { key: joined.token })).body.tasks[0]
/** A running task, its fence, and its instance. */
const running = async (name: string, more = {}) => {
  const joined = await join(name)
  const { id } = (await api.post('/tasks', { capability: name, ...more })).body
  return { joined, id, task: await lease(joined) }
}
const statusOf = async (id: string) => (await api.get(`/tasks/${id}`)).body.status

describe.each(hosts)('a child task on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  it('has what its parent hands down, and is listed below it', async () => {
    const deadline = new Date(Date.now() + 60_000).toISOString()
    const { joined, id } = await running('up.one', { deadline, priority: 'high', labels: { team: 'x', part: 'all' } })
    const options = { key: joined.token }
    const body = { capability: 'down.one', parent: id, labels: { part: '1' } }
    const child = (await api.post('/tasks', body, options)).body
    expect(child).toMatchObject({ parent: id, deadline, priority: 'high', labels: { team: 'x', part: '1' } })
    const later = new Date(Date.now() + 120_000).toISOString()
    const other = (await api.post('/tasks', { ...body, deadline: later, priority: 'low' }, options)).body
    expect(other).toMatchObject({ deadline, priority: 'low' })
    const ids = async (path: string) =>
      until(async () => {
        const { items } = (await api.get(path)).body
        return items.length === 2 && items.map((one: { id: string }) => one.id)
      })
    expect(await ids(`/tasks/${id}/children`)).toEqual([other.id, child.id])
    expect(await ids(`/tasks?parent=${id}`)).toEqual([other.id, child.id])
    expect((await api.get(`/tasks/${id}/children?status=RUNNING`)).body.items).toEqual([])
    expect((await api.get(`/tasks/${child.id}`, options)).status).toBe(200)
  })

  it('is found again by the same key, also by the next holder of its parent', async () => {
    const { joined, id } = await running('up.again')
    const headers = { 'idempotency-key': `call-${id}` }
    const body = { capability: 'down.again', parent: id }
    const first = (await api.post('/tasks', body, { key: joined.token, headers })).body
    await api.request('DELETE', `/instances/${joined.instanceId}`, { key: joined.token })
    const next = await join('up.again')
    await lease(next)
    const again = await api.post('/tasks', body, { key: next.token, headers })
    expect(again).toMatchObject({ status: 202, body: { id: first.id } })
    expect(await api.platform.volatile.get({ pk: `default#children#${id}`, sk: 'counter' })).toMatchObject({ value: 1 })
  })

  it('is an instance’s to submit for what it holds, and for nothing else', async () => {
    const { joined, id, task } = await running('up.own')
    const stranger = await join('up.stranger')
    const submit = (body: object, key: string) => api.post('/tasks', { capability: 'down.own', ...body }, { key })
    expect(await submit({}, joined.token)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } })
    expect(await submit({ parent: id }, stranger.token)).toMatchObject({ status: 409, body: { code: 'STALE_FENCE' } })
    const unknown = await submit({ parent: 'tsk_00000000000000000000000000' }, joined.token)
    expect(unknown).toMatchObject({ status: 422, body: { errors: [{ pointer: '#/parent', code: 'UNKNOWN_TASK' }] } })
    await api.post(`/tasks/${id}/complete`, { fence: task.fence, result: 1 }, { key: joined.token })
    expect(await submit({ parent: id }, joined.token)).toMatchObject({ status: 409, body: { code: 'STALE_FENCE' } })
    expect(await submit({ parent: id }, api.apiKey)).toMatchObject({
      status: 409,
      body: { code: 'ALREADY_FINISHED' },
    })
  })

  it('is cancelled with everything below it when its parent fails or is cancelled', async () => {
    const { joined, id, task } = await running('up.fails', { retry: { attempts: 1 } })
    const child = (await api.post('/tasks', { capability: 'down.x', parent: id }, { key: joined.token })).body
    const grandchild = (await api.post('/tasks', { capability: 'down.y', parent: child.id })).body
    await until(async () => (await api.get(`/tasks/${child.id}/children`)).body.items.length === 1)
    await api.post(
      `/tasks/${id}/fail`,
      { fence: task.fence, code: 'AGENT_ERROR', message: 'boom' },
      { key: joined.token },
    )
    await until(async () => (await statusOf(grandchild.id)) === 'CANCELLED', { what: 'the end of the grandchild' })
    expect(await statusOf(child.id)).toBe('CANCELLED')
  })

  it('goes on when its parent succeeds without it', async () => {
    const { joined, id, task } = await running('up.leaves')
    const child = (await api.post('/tasks', { capability: 'down.stays', parent: id }, { key: joined.token })).body
    await api.post(`/tasks/${id}/complete`, { fence: task.fence, result: 1 }, { key: joined.token })
    const other = (await api.post('/tasks', { capability: 'down.stays' })).body
    await api.post(`/tasks/${other.id}/cancel`)
    expect(await statusOf(child.id)).toBe('QUEUED')
  })

  it('finds room up to the depth of a tree', async () => {
    let parent = (await api.post('/tasks', { capability: 'deep' })).body.id
    for (let depth = 1; depth <= treeLimits.depth; depth++)
      parent = (await api.post('/tasks', { capability: 'deep', parent })).body.id
    expect(await api.post('/tasks', { capability: 'deep', parent })).toMatchObject({
      status: 409,
      body: { code: 'TREE_LIMIT' },
    })
  })

  it('finds room also where submits that broke off were counted as children', async () => {
    const { id } = (await api.post('/tasks', { capability: 'wide' })).body
    const counter = { pk: `default#children#${id}`, sk: 'counter' }
    const item = { ...counter, type: 'counter', value: treeLimits.children }
    const rev = '01ARZ3NDEKTSV4RRFFQ69G5FAV' // of 2016
    await api.platform.volatile.write({ op: 'put', item, expect: 'any', rev })
    expect((await api.post('/tasks', { capability: 'wide', parent: id })).status).toBe(202)
    expect((await api.platform.volatile.get(counter))?.value).toBe(1)
  })

  it('tells its end to whoever waits for it', async () => {
    const { joined, id, task } = await running('up.waits')
    const before = performance.now()
    const answer = api.get(`/tasks/${id}`, { headers: { prefer: 'wait=20' } })
    await api.post(`/tasks/${id}/complete`, { fence: task.fence, result: 5 }, { key: joined.token })
    expect((await answer).body).toMatchObject({ status: 'SUCCEEDED', result: 5 })
    expect(performance.now() - before).toBeLessThan(5000)
  })
})

describe('a child whose parent’s end nobody projected', () => {
  it('is cancelled when it is looked at, and when it is submitted a moment later', async () => {
    const clock = aSkewedClock()
    const { platform, close } = await aPlatform(undefined, clock)
    const caller: Caller = { tenant: 'default', principal: { kind: 'key', id: 'k', role: 'admin' }, requestId: 'r' }
    const submit = (parent?: string, ports: Platform = platform) =>
      submitTask(ports, caller, { capability: 'lost', labels: {}, parent }, async () => [])
    const parent = await submit()
    const child = await submit(parent.id)
    const slow: Platform['volatile'] = Object.create(platform.volatile, {
      add: {
        async value(...args: Parameters<Platform['volatile']['add']>) {
          await cancelBySystem(platform, 'default', parent.id, 'nobody')
          return platform.volatile.add(...args)
        },
      },
    })
    expect((await submit(parent.id, { ...platform, volatile: slow })).status).toBe('CANCELLED')
    clock.forward(61_000)
    await sweep(platform)
    expect((await getTask(platform, 'default', child.id)).value.status).toBe('CANCELLED')
    await close()
  })
})
