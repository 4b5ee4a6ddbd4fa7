import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TestApi } from '#test/support/api.ts'
import { apiHosts } from '#test/support/api-hosts.ts'
import { eventually } from '#test/support/eventually.ts'

let api: TestApi

const aYear = { everySeconds: 31_536_000 }
const create = async (capability: string, more: object = {}): Promise<string> =>
  (await api.post('/schedules', { rate: aYear, overlap: 'queue', task: { capability }, ...more })).body.id
const run = async (id: string, key = 'first') =>
  (await api.post(`/schedules/${id}/run`, undefined, { headers: { 'idempotency-key': key } })).body
const get = async (id: string) => (await api.get(`/schedules/${id}`)).body
const set = async (id: string, body: object) => (await api.request('PATCH', `/schedules/${id}`, { body })).body
const end = (task: string) => api.post(`/tasks/${task}/cancel`)
const started = (id: string, key: string) =>
  eventually(async () => {
    const { outcome, task } = await run(id, key)
    expect(outcome).toBe('STARTED')
    return task as string
  })

describe.each(apiHosts)('a start that waits, on $host,', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  it('is kept by a pause, and made while that lasts', async () => {
    const id = await create('pause.kept')
    const { task } = await run(id)
    const queued = await run(id, 'queued')
    expect(await set(id, { state: 'PAUSED' })).toMatchObject({ state: 'PAUSED', waitingFor: queued.at })
    expect(await run(id, 'queued')).toEqual(queued)
    await end(task)
    expect(await started(id, 'queued')).not.toBe(task)
    const counts = { started: 2, skipped: 0, missed: 0, refused: 0 }
    await eventually(async () => expect(await get(id)).toMatchObject({ state: 'PAUSED', next: [], counts }))
    expect((await get(id)).waitingFor).toBeUndefined()
  })

  it('is made also after a pause that ended before the task before', async () => {
    const id = await create('pause.over')
    const { task } = await run(id)
    const queued = await run(id, 'queued')
    await set(id, { state: 'PAUSED' })
    expect(await set(id, { state: 'ACTIVE' })).toMatchObject({ state: 'ACTIVE', waitingFor: queued.at })
    await end(task)
    await started(id, 'queued')
    expect((await get(id)).counts).toEqual({ started: 2, skipped: 0, missed: 0, refused: 0 })
  })

  it('may be asked for while the schedule is paused, and a later one takes its place', async () => {
    const id = await create('pause.asked', { state: 'PAUSED' })
    const { task } = await run(id)
    expect(await run(id, 'second')).toMatchObject({ outcome: 'QUEUED' })
    expect(await run(id, 'third')).toMatchObject({ outcome: 'QUEUED' })
    const replaced = { outcome: 'SKIPPED', message: expect.stringContaining('a later start took its place') }
    expect(await run(id, 'second')).toMatchObject(replaced)
    await end(task)
    await started(id, 'third')
    const counts = { started: 2, skipped: 1, missed: 0, refused: 0 }
    await eventually(async () => expect(await get(id)).toMatchObject({ state: 'PAUSED', counts }))
  })

  it('is kept although it was planned', async () => {
    const id = await create('pause.planned', { rate: { everySeconds: 1 } })
    await eventually(async () => expect((await get(id)).waitingFor).toBeDefined())
    const { waitingFor, last, counts } = await set(id, { state: 'PAUSED' })
    expect(waitingFor).toBeDefined()
    await end(last.task)
    const after = { ...counts, started: counts.started + 1 }
    await eventually(async () => expect(await get(id)).toMatchObject({ state: 'PAUSED', counts: after }))
    expect((await get(id)).last).toMatchObject({ at: waitingFor, outcome: 'STARTED' })
  })
})
