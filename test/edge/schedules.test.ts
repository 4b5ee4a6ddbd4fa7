import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sweep } from '#functions/sweep/sweep.ts'
import { loadBody } from '#shared/domain/bodies/body.ts'
import { schedulePk } from '#shared/domain/schedules/schedule.ts'
import { getSchedule } from '#shared/domain/schedules/schedule-store.ts'
import { loadWork } from '#shared/domain/schedules/schedule-task.ts'
import { findTask, taskPk } from '#shared/domain/tasks/task-store.ts'
import { anApi, anAwsApi, type TestApi } from '#test/support/api.ts'
import { dynoxideBinary } from '#test/support/aws-servers.ts'
import { eventually } from '#test/support/eventually.ts'

const hosts = [
  { host: 'the embedded host', open: anApi },
  ...(dynoxideBinary() === undefined ? [] : [{ host: 'AWS', open: anAwsApi }]),
]
let api: TestApi

const create = (body: object, headers = {}) => api.post('/schedules', body, { headers })
const tasksOf = async (capability: string) => (await api.get(`/tasks?capability=${capability}`)).body.items
const soon = () => new Date(Date.now() + 1500).toISOString()

describe.each(hosts)('schedules on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  it('show their next five starts, and are changed, paused and deleted', async () => {
    const body = { cron: { expression: '0 9 * * 1-5', timeZone: 'Europe/Berlin' }, task: { capability: 'report' } }
    const made = await create(body, { 'idempotency-key': 'daily' })
    expect(made).toMatchObject({ status: 201, body: { state: 'ACTIVE', overlap: 'skip', catchUpSeconds: 300 } })
    expect(made.body.next).toHaveLength(5)
    const path = `/schedules/${made.body.id}`
    expect(made.headers.get('location')).toBe(`/api/v2${path}`)
    expect((await create(body, { 'idempotency-key': 'daily' })).body.id).toBe(made.body.id)
    expect((await create({ ...body, overlap: 'queue' }, { 'idempotency-key': 'daily' })).status).toBe(409)
    const etag = made.headers.get('etag') ?? ''
    const paused = await api.request('PATCH', path, { body: { state: 'PAUSED' }, headers: { 'if-match': etag } })
    expect(paused).toMatchObject({ status: 200, body: { state: 'PAUSED', next: [] } })
    const stale = await api.request('PATCH', path, { body: { state: 'ACTIVE' }, headers: { 'if-match': etag } })
    expect(stale.status).toBe(412)
    const moved = await api.request('PATCH', path, { body: { state: 'ACTIVE', rate: { everySeconds: 3600 } } })
    expect(moved.body).toMatchObject({ state: 'ACTIVE', rate: { everySeconds: 3600 } })
    expect(moved.body.cron).toBeUndefined()
    expect((await api.get('/schedules')).body.items.map(({ id }: { id: string }) => id)).toContain(made.body.id)
    expect((await api.request('DELETE', path)).status).toBe(204)
    expect((await api.get(path)).status).toBe(404)
    expect((await api.get('/schedules')).body.items).toEqual([])
  })

  it('keep what a patch leaves out of their cron', async () => {
    const task = { capability: 'merged' }
    const cron = { expression: '0 9 * * *', timeZone: 'Europe/Berlin' }
    const { id } = (await create({ cron, task, state: 'PAUSED' })).body
    const patch = (body: object) => api.request('PATCH', `/schedules/${id}`, { body })
    const expression = '0 3 * * *'
    expect((await patch({ cron: { expression } })).body.cron).toEqual({ expression, timeZone: 'Europe/Berlin' })
    const moved = await patch({ cron: { timeZone: 'Asia/Tokyo' }, state: 'ACTIVE' })
    expect(moved.body).toMatchObject({ cron: { expression, timeZone: 'Asia/Tokyo' } })
    expect(moved.body.next[0]).toMatch(/T18:00:00/)
    expect((await patch({ cron: { timeZone: null } })).body.cron).toEqual({ expression, timeZone: 'UTC' })
    const refused = async (body: object) => {
      const answer = await patch(body)
      return [answer.status, answer.body.errors?.[0].pointer]
    }
    expect(await refused({ cron: {} })).toEqual([422, '#/cron'])
    expect(await refused({ cron: { timeZone: 'Mars/Base' } })).toEqual([422, '#/cron/timeZone'])
    expect(await refused({ cron: { expression: null } })).toEqual([422, '#/cron/expression'])
    expect((await patch({ rate: { everySeconds: 3600 } })).body.cron).toBeUndefined()
    expect(await refused({ cron: { timeZone: 'Asia/Tokyo' } })).toEqual([422, '#/cron/expression'])
    expect((await patch({ cron: { expression } })).body.cron).toEqual({ expression, timeZone: 'UTC' })
    await api.request('DELETE', `/schedules/${id}`)
  })

  it.each([
    ['small', 100],
    ['of an item', 10_000],
    ['of an object', 60_000],
  ])('give each start the input whole that they were made with, one that is %s', async (_, size) => {
    const capability = `input.${size}`
    const task = { capability, input: { text: 'x'.repeat(size) }, labels: { size: String(size) } }
    const { id } = (await create({ rate: { everySeconds: 86_400 }, task })).body
    expect((await api.get(`/schedules/${id}`)).body.task).toEqual(task)
    const listed = (await api.get('/schedules')).body.items.find((one: { id: string }) => one.id === id)
    expect(listed.task).toEqual(size > 512 ? { capability, labels: task.labels } : task)
    const { value } = await getSchedule(api.platform, 'default', id)
    expect(JSON.stringify(value).length).toBeLessThan(1500)
    const started = (await api.post(`/schedules/${id}/run`)).body
    const head = (await findTask(api.platform, 'default', started.task))?.value
    const body = { tenant: 'default', pk: taskPk('default', started.task), body: head?.input }
    expect(await loadBody(api.platform, body)).toEqual(task.input)
    const patched = { capability, input: { text: 'y'.repeat(size) }, labels: {} }
    expect((await api.request('PATCH', `/schedules/${id}`, { body: { task: patched } })).body.task).toEqual(patched)
    const bare = { capability, labels: {} }
    expect((await api.request('PATCH', `/schedules/${id}`, { body: { task: bare } })).body.task).toEqual(bare)
    await api.request('DELETE', `/schedules/${id}`)
  })

  it.each([
    ['an item', 10_000],
    ['an object', 60_000],
  ])(
    'keep no input in %s that another one has replaced, and a reader of the one before gets the new one',
    async (_, size) => {
      const { main, objects } = api.platform
      const taskOf = (letter: string) => ({ capability: 'replaced', input: letter.repeat(size), labels: {} })
      const { id } = (await create({ rate: { everySeconds: 86_400 }, task: taskOf('a') })).body
      const path = `/schedules/${id}`
      const before = (await getSchedule(api.platform, 'default', id)).value
      for (const letter of ['b', 'b', 'a'])
        expect((await api.request('PATCH', path, { body: { task: taskOf(letter) } })).status).toBe(200)
      expect((await api.get(path)).body.task).toEqual(taskOf('a'))
      expect(await loadWork(api.platform, before)).toEqual({ task: taskOf('a') })
      const { items } = await main.query({ pk: schedulePk('default', id), limit: 100 })
      const bodies = items.filter(({ type }) => type === 'body')
      const first = before.payload
      if (first?.in === 'object') {
        expect(await objects.stat({ tenant: 'default', id: first.id })).toBeUndefined()
        expect((await api.get(`/objects/${first.id}`)).status).toBe(404)
      } else expect(bodies).toHaveLength(1)
    },
  )

  it('are changed and deleted although something comes between the look and the write, unless it was said what was seen', async () => {
    const { body, headers } = await create({ rate: { everySeconds: 86_400 }, task: { capability: 'raced' } })
    const path = `/schedules/${body.id}`
    const { main } = api.platform
    const write = main.write
    const overtaken = (method: string, wish?: object, ifMatch?: string) => {
      main.write = async (put) => {
        if (put.op !== 'put' || put.item.type !== 'schedule') return write(put) // the projector writes too
        main.write = write
        await api.post(`${path}/run`)
        return main.write(put)
      }
      return api.request(method, path, { body: wish, headers: ifMatch ? { 'if-match': ifMatch } : {} })
    }
    expect((await overtaken('PATCH', { name: 'seen' }, headers.get('etag') ?? '')).status).toBe(412)
    const patched = await overtaken('PATCH', { name: 'named' })
    expect(patched).toMatchObject({ status: 200, body: { name: 'named' } })
    const started = patched.body.counts.started + patched.body.counts.skipped
    expect(started).toBe(2)
    expect((await overtaken('DELETE')).status).toBe(204)
    expect((await api.get(path)).status).toBe(404)
  })

  it('refuse what can never start, naming the field', async () => {
    const refused = async (body: object) => {
      const answer = await create({ task: { capability: 'x' }, ...body })
      return [answer.status, answer.body.errors?.[0].pointer]
    }
    expect(await refused({ cron: { expression: '99 * * * *' } })).toEqual([422, '#/cron/expression'])
    for (const timeZone of ['Nowhere', '+05:00', '-0530', '+00'])
      expect(await refused({ cron: { expression: '0 9 * * *', timeZone } })).toEqual([422, '#/cron/timeZone'])
    for (const timeZone of ['UTC', 'Europe/Kiev', 'Etc/GMT+5', 'asia/calcutta'])
      expect((await create({ task: { capability: 'x' }, cron: { expression: '0 9 * * *', timeZone } })).status).toBe(
        201,
      )
    expect(await refused({ at: '2001-01-01T00:00:00Z' })).toEqual([422, '#/at'])
    expect(await refused({})).toEqual([422, '#/cron'])
    expect(await refused({ rate: { everySeconds: 5 }, name: ' ' })).toEqual([422, '#/name'])
    expect(await refused({ rate: { everySeconds: 5 }, at: soon() })).toEqual([422, '#/cron'])
    expect(await refused({ rate: { everySeconds: 5 }, task: {} })).toEqual([422, '#/task/capability'])
    expect(await refused({ rate: { everySeconds: 5 }, task: { capability: 'x', runAt: soon() } })).toEqual([
      422,
      '#/task/runAt',
    ])
    expect(await refused({ rate: { everySeconds: 5 }, task: { agent: 'nobody' } })).toEqual([404, '#/task/agent'])
    const requirements = { version: 'newest' }
    expect(await refused({ rate: { everySeconds: 5 }, task: { capability: 'x', requirements } })).toEqual([
      422,
      '#/task/requirements/version',
    ])
    const callback = { url: 'http://10.0.0.1/' }
    expect(await refused({ rate: { everySeconds: 5 }, task: { capability: 'x', callback } })).toEqual([
      422,
      '#/task/callback/url',
    ])
    const { id } = (await create({ rate: { everySeconds: 3600 }, task: { capability: 'x' } })).body
    const task = { capability: 'x', input: { $ref: 'obj_00000000000000000000000000' } }
    const patched = await api.request('PATCH', `/schedules/${id}`, { body: { task } })
    expect([patched.status, patched.body.errors?.[0].pointer]).toEqual([422, '#/task/input/$ref'])
    await api.request('DELETE', `/schedules/${id}`)
  })

  it('start a task at their time, once, and say how it went', async () => {
    const { id } = (await create({ at: soon(), task: { capability: 'once', labels: { by: 'clock' } } })).body
    await eventually(async () =>
      expect(await tasksOf('once')).toMatchObject([{ labels: { by: 'clock' }, schedule: id }]),
    )
    await Promise.all([sweep(api.platform), sweep(api.platform)])
    const [task] = await tasksOf('once')
    expect(await tasksOf('once')).toHaveLength(1)
    await eventually(async () =>
      expect((await api.get(`/schedules/${id}`)).body).toMatchObject({
        state: 'ENDED',
        next: [],
        counts: { started: 1 },
        last: { outcome: 'STARTED', task: task.id },
      }),
    )
  })

  it('hold a start until the task before has ended', async () => {
    const body = { rate: { everySeconds: 1 }, overlap: 'queue', task: { capability: 'slow' } }
    const { id } = (await create(body)).body
    const [first] = await eventually(async () => {
      const tasks = await tasksOf('slow')
      expect(tasks).toHaveLength(1)
      expect((await api.get(`/schedules/${id}`)).body.waitingFor).toBeDefined()
      return tasks
    })
    expect(await tasksOf('slow')).toHaveLength(1)
    await api.post(`/tasks/${first.id}/cancel`)
    await eventually(async () => expect((await tasksOf('slow')).length).toBeGreaterThan(1))
    await api.request('DELETE', `/schedules/${id}`)
  })
})
