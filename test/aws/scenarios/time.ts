import { Webhook } from 'standardwebhooks'
import { expect, it } from 'vitest'
import { startReceiver } from '#test/support/webhook-receiver.ts'
import { awaited, type Calls } from '../calls.ts'

/** What happens by itself: by the clock, and because of what happened. */
export const timeScenarios = ({ work, get, post, call, tell, ended, submit, next }: Calls) => {
  it('starts what a schedule names at its time, once', async () => {
    const worker = await work('aws.clock', { slots: 5 })
    const at = new Date(Date.now() + 4000).toISOString()
    const made = await post('/schedules', { at, task: { capability: 'aws.clock', labels: { by: 'clock' } } })
    expect(made).toMatchObject({ status: 201, body: { state: 'ACTIVE', next: [at] } })
    const task = await next(worker)
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(at) - 1000) // their clocks are this one
    await tell('complete', worker, task, { result: 1 })
    expect(await ended(task.taskId)).toMatchObject({ schedule: made.body.id, labels: { by: 'clock' } })
    expect(await get(`/schedules/${made.body.id}`)).toMatchObject({
      state: 'ENDED',
      next: [],
      counts: { started: 1 },
      last: { outcome: 'STARTED', task: task.taskId },
    })
    expect((await get('/tasks?capability=aws.clock')).items).toHaveLength(1)
  })

  it('starts every time of a rate once, and none after it is deleted', async () => {
    const task = { capability: 'aws.rate' }
    const { id } = (await post('/schedules', { rate: { everySeconds: 3 }, overlap: 'cancel-previous', task })).body
    const tasks = await awaited(async () => {
      const { items } = await get('/tasks?capability=aws.rate')
      return items.length >= 2 && items
    }, 'two starts')
    const deleted = await call('DELETE', `/schedules/${id}`)
    expect([deleted.status, tasks.every((one: { schedule: string }) => one.schedule === id)]).toEqual([204, true])
    const starts = tasks.map((one: { createdAt: string }) => Math.floor(Date.parse(one.createdAt) / 1000))
    expect(new Set(starts).size).toBe(tasks.length)
  })

  it('starts what waited for the start before it, with content that is an object', async () => {
    const worker = await work('aws.turns')
    const object = await post('/objects', { contentType: 'application/json', size: 9 })
    const { url, headers } = object.body.upload
    expect((await fetch(url, { method: 'PUT', headers, body: '{"a": 42}' })).ok).toBe(true)
    const task = { capability: 'aws.turns', input: { $ref: object.body.id } }
    const { id } = (await post('/schedules', { rate: { everySeconds: 86_400 }, overlap: 'queue', task })).body
    const outcomes = [await post(`/schedules/${id}/run`), await post(`/schedules/${id}/run`)]
    expect(outcomes.map(({ body }) => body.outcome)).toEqual(['STARTED', 'QUEUED'])
    const first = await next(worker)
    await tell('complete', worker, first, { result: 1 })
    const freed = Date.now()
    const second = await next(worker)
    expect(Date.now() - freed).toBeLessThan(45_000) // by the end of the first, not by the look of each minute
    expect(second).toMatchObject({ input: first.input })
    expect(second.taskId).not.toBe(first.taskId)
    expect((await get(`/schedules/${id}`)).counts).toMatchObject({ started: 2 })
  })

  it('starts a task that is for later when its time has come', async () => {
    const worker = await work('aws.later')
    const runAt = new Date(Date.now() + 5000).toISOString()
    const id = await submit('aws.later', { runAt })
    expect((await get(`/tasks/${id}`)).status).toBe('SCHEDULED')
    expect((await next(worker)).taskId).toBe(id)
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(runAt))
  })

  it('tells a receiver of the end of a task, signed, and again until it answers well', async () => {
    let answers = 0
    const receiver = await startReceiver(() => ({ status: answers++ === 0 ? 500 : 204 }))
    const body = { url: receiver.url, events: ['task.cancelled'], capability: 'aws.told' }
    const made = await post('/webhooks', body)
    expect(made).toMatchObject({ status: 201, body: { state: 'ACTIVE', secret: expect.stringMatching(/^whsec_/) } })
    const id = await submit('aws.told')
    await post(`/tasks/${id}/cancel`)
    const [delivery] = await awaited(
      async () => {
        const { items } = await get(`/webhooks/${made.body.id}/deliveries`)
        return items[0]?.state === 'DELIVERED' && items
      },
      'the delivery',
      100,
    )
    expect(delivery.attempts).toMatchObject([{ status: 500 }, { status: 204 }])
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([delivery.id]))
    const last = receiver.received.at(-1)
    expect(new Webhook(made.body.secret).verify(last?.body ?? '', last?.headers ?? {})).toMatchObject({
      type: 'io.devcycle.task.cancelled.v1',
      subject: id,
    })
    const inside = await post('/webhooks', { ...body, url: 'http://10.0.0.1/' })
    expect([inside.status, inside.body.errors[0].pointer]).toEqual([422, '#/url'])
    await receiver.stop()
  })
}
