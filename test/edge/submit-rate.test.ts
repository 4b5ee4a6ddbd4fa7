import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anApi, type TestApi } from '#test/support/api.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'

let api: TestApi

describe('several tasks in one call above the submit rate', () => {
  const clock = aSkewedClock()
  beforeAll(async () => {
    api = await anApi({ clock })
  })
  afterAll(() => api?.close())

  it('all get through under their key, as the rate has room; neither what is stored nor what is refused counts', async () => {
    await api.post('/agents', { name: 'many', capabilities: [{ name: 'many' }] })
    await api.request('PATCH', '/limits', { body: { submitRate: { count: 2, seconds: 60 } } })
    const fit = { capability: 'many' }
    const tasks = [{ agent: 'nobody' }, fit, { capability: 'many', colour: 'red' }, { agent: 'no-one' }, fit, fit, fit]
    const submitAll = async () =>
      (await api.post('/tasks:batch', { tasks }, { headers: { 'idempotency-key': 'all' } })).body.items?.map(
        ({ status }: { status: number }) => status,
      )
    expect(await submitAll()).toEqual([404, 202, 422, 404, 202, 429, 429])
    clock.forward(61_000)
    expect(await submitAll()).toEqual([404, 202, 422, 404, 202, 202, 202])
    clock.forward(61_000)
    expect(await submitAll()).toEqual([404, 202, 422, 404, 202, 202, 202])
  })

  it('answers a submit that was accepted under its key, and counts it no more', async () => {
    await api.request('PATCH', '/limits', { body: { submitRate: { count: 1, seconds: 600 } } })
    clock.forward(3_600_000)
    const submit = (key: string) => api.post('/tasks', { capability: 'many' }, { headers: { 'idempotency-key': key } })
    const first = await submit('first')
    expect(first.status).toBe(202)
    expect(await submit('second')).toMatchObject({ status: 429 })
    const again = await submit('first')
    expect(again).toMatchObject({ status: 202, body: { id: first.body.id } })
    expect(again.headers.get('ratelimit-policy')).toBe('"submit";q=1;w=600')
    expect(again.headers.get('ratelimit')).toMatch(/^"submit";r=0;t=\d+$/)
  })

  it('answers those that were accepted again while the rate is spent, and refuses the others by themselves', async () => {
    await api.request('PATCH', '/limits', { body: { submitRate: { count: 2, seconds: 600 } } })
    clock.forward(3_600_000)
    const tasks = [1, 2, 3].map((input) => ({ capability: 'many', input }))
    const submit = (key: string) => api.post('/tasks:batch', { tasks }, { headers: { 'idempotency-key': key } })
    const idsOf = ({ body }: Awaited<ReturnType<typeof submit>>) =>
      body.items?.map(({ status, task }: { status: number; task?: { id: string } }) => [status, task?.id])
    const first = idsOf(await submit('spent'))
    expect(first).toEqual([
      [202, expect.any(String)],
      [202, expect.any(String)],
      [429, undefined],
    ])
    expect(idsOf(await submit('spent'))).toEqual(first)
    expect(idsOf(await submit('new'))).toEqual([1, 2, 3].map(() => [429, undefined]))
  })

  it('have an outcome each with nothing left of the rate: what can be no task is told as that', async () => {
    await api.request('PATCH', '/limits', { body: { submitRate: { count: 1, seconds: 600 } } })
    clock.forward(3_600_000)
    const fit = { capability: 'many' }
    expect((await api.post('/tasks', fit)).status).toBe(202)
    const tasks = [
      fit,
      { agent: 'nobody' },
      { ...fit, colour: 'red' },
      { ...fit, agent: 'many', version: '7.0.0' },
      fit,
    ]
    const { status, headers, body } = await api.post('/tasks:batch', { tasks })
    expect(status).toBe(200)
    expect(headers.get('ratelimit')).toMatch(/^"submit";r=0;t=\d+$/)
    expect(body.items.map((one: { status: number }) => one.status)).toEqual([429, 404, 422, 422, 429])
    expect(body.items[0].problem).toMatchObject({
      code: 'RATE_LIMITED',
      detail: expect.stringContaining('try again in'),
    })
  })
})
