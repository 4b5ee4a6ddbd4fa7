import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sweep } from '#functions/sweep/sweep.ts'
import { laneQueue } from '#shared/domain/dispatch/lanes.ts'
import { anApi, anAwsApi, type TestApi } from '#test/support/api.ts'
import { dynoxideBinary } from '#test/support/aws-servers.ts'
import { until } from '#test/support/server-process.ts'
import { taskCalls } from '#test/support/task-calls.ts'

const hosts = [
  { host: 'the embedded host', open: () => anApi() },
  ...(dynoxideBinary() === undefined ? [] : [{ host: 'AWS', open: () => anAwsApi() }]),
]
if (hosts.length === 1) console.warn('left out on AWS: there is no dynoxide for this platform')

let api: TestApi
const named = (...names: string[]) => names.map((name) => ({ name }))
const patch = (agent: string, body: object) => api.request('PATCH', `/agents/${agent}`, { body })
const taskOf = async (id: string) => (await api.get(`/tasks/${id}`)).body
const untilWith = (id: string, agent: string | null, what = `task with ${agent}`) =>
  until(
    async () => {
      const task = await taskOf(id)
      return task.agent === agent && task
    },
    { seconds: 20, what },
  )
/** What counts as work of an agent, of its common lane. */
const backlogOf = async (agent: string): Promise<number> => {
  const { id, version } = (await api.get(`/agents/${agent}`)).body
  return (await api.platform.queues.depth(laneQueue('default', { agent: id, version }, 'normal'))).waiting
}
const untilBlocked = (id: string) =>
  until(async () => (await taskOf(id)).blockedBy?.code === 'NO_CAPABLE_AGENT', { seconds: 20, what: 'the block' })

describe.each(hosts)('what waits for an agent that changes on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  it('goes to another agent when the last instance with its labels leaves, or waits for anybody who gets them', async () => {
    const { register, join, submit, lease, ids, end, leave } = taskCalls(api)
    const labels = { zone: 'x' }
    await register('left', { capabilities: named('leave') })
    const first = await join('left', 1, labels)
    await submit({ agent: 'left' })
    const [busy] = await lease(first, 1, 5)
    const wish = { capability: 'leave', requirements: { labels } }
    const [free, bound] = [await submit(wish), await submit({ ...wish, agent: 'left' })]
    expect([free.agent, free.blockedBy]).toEqual(['left', undefined])
    if (busy) await end(busy, first)
    await leave(first)
    const waiting = await untilWith(free.id, null)
    expect(waiting.blockedBy).toMatchObject({
      code: 'NO_CAPABLE_AGENT',
      message: expect.stringContaining('zone:x'),
    })
    await untilBlocked(bound.id)
    expect(await until(async () => (await backlogOf('left')) === 0, { seconds: 20, what: 'its empty lanes' })).toBe(
      true,
    )
    await register('right', { capabilities: named('leave'), labels })
    expect(await untilWith(free.id, 'right')).not.toHaveProperty('blockedBy')
    const right = await join('right', 2)
    expect(await until(async () => (await ids(right, 2, 1))[0], { seconds: 20 })).toBe(free.id)
    expect(await taskOf(bound.id)).toMatchObject({ agent: 'left', blockedBy: { code: 'NO_CAPABLE_AGENT' } })
    const again = await join('left', 2, labels)
    expect(await until(async () => (await ids(again, 1, 1))[0], { seconds: 20 })).toBe(bound.id)
  })

  it('goes at once to one that has the labels already when the agent loses them, whether or not it has instances', async () => {
    const { register, join, submit, ids } = taskCalls(api)
    const labels = { gpu: 'a' }
    await register('loser', { capabilities: named('draw', 'loser'), labels })
    const all = []
    for (let n = 0; n < 3; n++) all.push(await submit({ capability: 'draw', requirements: { labels } }))
    const plain = await submit({ capability: 'loser' })
    await register('keeper', { capabilities: named('draw'), labels })
    expect((await patch('loser', { labels: {} })).status).toBe(200)
    for (const { id } of all) await untilWith(id, 'keeper')
    const loser = await join('loser', 5)
    expect(await until(async () => (await ids(loser, 5, 1))[0], { seconds: 20 })).toBe(plain.id)
    const keeper = await join('keeper', 5)
    const got = new Set<string>()
    await until(async () => (await ids(keeper, 5, 1)).forEach((id) => void got.add(id)) ?? got.size === 3, {
      seconds: 20,
    })
  })

  it('leaves an agent of another class, and waits for it where that was named', async () => {
    const { register, join, submit, ids } = taskCalls(api)
    await register('h1', { capabilities: named('lift'), resourceClass: 'large' })
    const h1 = await join('h1', 5)
    await api.post('/agents/h1/pause', {})
    const wish = { capability: 'lift', requirements: { resourceClass: 'large' } }
    const [free, bound, plain] = [
      await submit(wish),
      await submit({ ...wish, agent: 'h1' }),
      await submit({ agent: 'h1' }),
    ]
    await patch('h1', { resourceClass: 'small' })
    await api.post('/agents/h1/resume', {})
    expect(await until(async () => (await ids(h1, 5, 1))[0], { seconds: 20 })).toBe(plain.id)
    expect(await ids(h1, 5, 1)).toEqual([])
    await untilWith(free.id, null)
    await untilBlocked(bound.id)
    expect((await api.get(`/tasks/${bound.id}/why`)).body).toMatchObject({
      code: 'NO_CAPABLE_AGENT',
      message: 'agent h1 cannot: its resource class is small, not large; the task runs as soon as it can',
    })
    await register('h2', { capabilities: named('lift'), resourceClass: 'large' })
    await untilWith(free.id, 'h2')
    await patch('h1', { resourceClass: 'large' })
    expect(await until(async () => (await ids(h1, 5, 1))[0], { seconds: 20 })).toBe(bound.id)
  })

  it('leaves an agent that offers its capability no more, and is refused by none that offers it again', async () => {
    const { register, join, submit, ids } = taskCalls(api)
    await register('w1', { capabilities: named('x.d', 'x.e') })
    const free = await submit({ capability: 'x.d', priority: 'low' })
    const bound = await submit({ agent: 'w1', capability: 'x.d' })
    const other = await submit({ capability: 'x.e' })
    await patch('w1', { capabilities: named('x.e') })
    const w1 = await join('w1', 5)
    expect(await until(async () => (await ids(w1, 5, 1))[0], { seconds: 20 })).toBe(other.id)
    expect((await untilWith(free.id, null)).blockedBy.message).toContain('no agent offers x.d')
    await untilBlocked(bound.id)
    await patch('w1', { capabilities: named('x.d', 'x.e') })
    const got = new Set<string>()
    await until(async () => (await ids(w1, 5, 1)).forEach((id) => void got.add(id)) ?? got.size === 2, { seconds: 20 })
    expect(got).toEqual(new Set([free.id, bound.id]))
  })

  it('is handed to nobody who cannot do it when its agent changed before it came back to its queue', async () => {
    const { register, join, submit, lease } = taskCalls(api)
    await register('holder', { capabilities: named('hold', 'other') })
    const instance = await join('holder', 5)
    const retry = { attempts: 2, initialSeconds: 0.05 }
    const { id } = await submit({ capability: 'hold', retry })
    const held = await until(async () => (await lease(instance, 1, 1))[0])
    await patch('holder', { capabilities: named('other') })
    const failure = { fence: held.fence, code: 'AGENT_ERROR', message: 'no', retryable: true }
    await api.post(`/tasks/${id}/fail`, failure, { key: instance.token })
    await untilWith(id, null)
    expect(await lease(instance, 5, 1)).toEqual([])
    await register('successor', { capabilities: named('hold') })
    await untilWith(id, 'successor')
  })

  it('goes round in no circle where the one instance with its labels drains', async () => {
    const { register, join, submit } = taskCalls(api)
    const labels = { zone: 'd' }
    for (const name of ['d1', 'd2']) await register(name, { capabilities: named('drain') })
    await join('d1', 1, labels)
    const wish = { capability: 'drain', requirements: { labels } }
    const before = await submit(wish)
    expect(before.agent).toBe('d1')
    await api.post('/agents/d1/maintenance', {})
    await untilWith(before.id, null)
    const after = await submit(wish)
    expect(after).toMatchObject({ agent: null, blockedBy: { code: 'NO_CAPABLE_AGENT' } })
    await join('d2', 2, labels)
    for (const { id } of [before, after]) await untilWith(id, 'd2')
  })

  it('is found where a limit, the instance of its key, or its time holds it', async () => {
    const { register, join, submit, ids } = taskCalls(api)
    await register('all', { capabilities: named('some', 'all'), configuration: { maxConcurrentTasks: 1 } })
    const instance = await join('all', 5)
    const affinityKey = 'cart'
    const first = await submit({ capability: 'some', affinityKey })
    expect(await until(async () => (await ids(instance, 1, 1))[0])).toBe(first.id)
    const held = await submit({ capability: 'some' })
    await until(async () => (await ids(instance, 5, 0)).length === 0 && (await taskOf(held.id)).blockedBy)
    const kept = await submit({ capability: 'some', affinityKey })
    const runAt = new Date(Date.now() + 2000).toISOString()
    const later = await submit({ capability: 'some', runAt })
    await register('one', { capabilities: named('some') })
    await patch('all', { capabilities: named('all') })
    for (const { id } of [held, kept]) expect(await untilWith(id, 'one')).not.toHaveProperty('blockedBy')
    await until(
      async () => {
        await sweep(api.platform)
        return (await taskOf(later.id)).agent === 'one'
      },
      { seconds: 20, what: 'the one that starts later' },
    )
    expect(await backlogOf('all')).toBe(0)
  })

  it('keeps its retry from an agent that cannot do it any more', async () => {
    const { register, submit } = taskCalls(api)
    await register('r1', { capabilities: named('redo'), resourceClass: 'large' })
    const wish = { capability: 'redo', requirements: { resourceClass: 'large' } }
    const [free, bound] = [await submit(wish), await submit({ ...wish, agent: 'r1' })]
    for (const { id } of [free, bound]) await api.post(`/tasks/${id}/cancel`, {})
    const retried = async (id: string) => (await api.post(`/tasks/${id}/retry`, {})).body
    expect((await retried(free.id)).routing.reason).toBe('only r1 offers redo')
    expect((await retried(bound.id)).routing.reason).toBe('agent r1 was named')
    const again = await retried(free.id)
    await patch('r1', { resourceClass: 'small' })
    await register('r2', { capabilities: named('redo'), resourceClass: 'large' })
    expect(await retried(free.id)).toMatchObject({ agent: 'r2' })
    await untilWith(again.id, 'r2')
    expect((await api.post(`/tasks/${bound.id}/retry`, {})).status).toBe(422)
  })
})
