import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anApi, type TestApi } from '#test/support/api.ts'
import { apiHosts } from '#test/support/api-hosts.ts'
import { until } from '#test/support/server-process.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'
import { type Leased, taskCalls } from '#test/support/task-calls.ts'

let api: TestApi
describe.each(apiHosts)('lanes on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  it('hands urgent tasks out before high, normal and low ones', async () => {
    const { register, join, submit, lease } = taskCalls(api)
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
    const { register, join, submit, lease, end, ids } = taskCalls(api)
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
    const { register, join, ids, submit } = taskCalls(api)
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
    const { register, join, ids, submit } = taskCalls(api)
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
    const { register, join, lease, submit } = taskCalls(api)
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
    const { register, join, lease, submit, end } = taskCalls(api)
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
    const { register, join, submit, lease, end } = taskCalls(api)
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
    const { register, join, ids } = taskCalls(api)
    await register('wide')
    const joined = await join('wide', 1000)
    await flood(10, { capability: 'wide' })
    expect(await ids(joined, 1000)).toHaveLength(1000)
  })

  it('starts the first task of a key within a turn of 10,000 of another one', async () => {
    const { register, join, ids, submit } = taskCalls(api)
    await register('shop')
    await flood(100, { capability: 'shop', fairnessKey: 'noisy' })
    const joined = await join('shop', 100)
    expect(await ids(joined, 3)).toHaveLength(3)
    const quiet = await submit({ capability: 'shop', fairnessKey: 'quiet' })
    expect(await ids(joined, 2)).toContain(quiet.id)
  })
})
