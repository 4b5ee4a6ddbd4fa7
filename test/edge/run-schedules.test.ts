import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { scheduleTools } from '#functions/sweep/schedule-tools.ts'
import type { Caller } from '#shared/domain/caller.ts'
import { digest } from '#shared/domain/ids.ts'
import { attendSchedule } from '#shared/domain/schedules/attend-schedule.ts'
import { makeSchedule } from '#shared/domain/schedules/change-schedule.ts'
import { runSchedule } from '#shared/domain/schedules/run-schedule.ts'
import { getSchedule } from '#shared/domain/schedules/schedule-store.ts'
import type { Platform } from '#shared/platform/platform.ts'
import type { TestApi } from '#test/support/api.ts'
import { apiHosts } from '#test/support/api-hosts.ts'
import { deathsAmong, dying } from '#test/support/dying-platform.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { eventually } from '#test/support/eventually.ts'

let api: TestApi

const aYear = { everySeconds: 31_536_000 }
const create = async (capability: string, more: object = {}): Promise<string> =>
  (await api.post('/schedules', { rate: aYear, task: { capability }, ...more })).body.id
const run = (id: string, key?: string) =>
  api.post(`/schedules/${id}/run`, undefined, key === undefined ? {} : { headers: { 'idempotency-key': key } })
const get = async (id: string) => (await api.get(`/schedules/${id}`)).body
const tasksOf = async (capability: string) => (await api.get(`/tasks?capability=${capability}`)).body.items

describe.each(apiHosts)('a start now on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  it('makes the task of the schedule, once under its key however often and at once', async () => {
    const id = await create('run.one', { task: { capability: 'run.one', labels: { by: 'hand' } } })
    const planned = (await get(id)).next
    const answers = await Promise.all(Array.from({ length: 4 }, () => run(id, 'first')))
    const [{ body }] = answers as [(typeof answers)[0]]
    for (const answer of answers) expect(answer).toMatchObject({ status: 200, body })
    expect(body).toEqual({ outcome: 'STARTED', at: expect.any(String), task: expect.stringMatching(/^tsk_/) })
    await eventually(async () =>
      expect(await tasksOf('run.one')).toMatchObject([{ id: body.task, schedule: id, labels: { by: 'hand' } }]),
    )
    expect(await get(id)).toMatchObject({
      next: planned,
      counts: { started: 1 },
      last: { at: body.at, outcome: 'STARTED', task: body.task },
    })
    await api.post(`/tasks/${body.task}/cancel`)
    expect((await run(id, 'first')).body.task).toBe(body.task)
    expect((await run(id, 'second')).body.task).not.toBe(body.task)
  })

  it('is skipped while the task before has not ended, and says so', async () => {
    const id = await create('run.skip')
    const { task } = (await run(id)).body
    const skipped = { outcome: 'SKIPPED', message: `task ${task} of the start before has not ended` }
    expect((await run(id, 'skipped')).body).toMatchObject(skipped)
    const keptUnder = (key: string) => api.platform.main.get({ pk: `default#schedule#${id}`, sk: `run#${digest(key)}` })
    expect((await keptUnder('skipped'))?.expiresAt).toBeGreaterThan(api.platform.clock.now())
    await api.post(`/tasks/${task}/cancel`)
    expect((await run(id, 'skipped')).body).toMatchObject(skipped)
    expect(await get(id)).toMatchObject({ counts: { started: 1, skipped: 1 }, last: { outcome: 'SKIPPED' } })
    expect((await run(id)).body.outcome).toBe('STARTED')
  })

  it('waits for the end of the task before, where starts are queued', async () => {
    const id = await create('run.queue', { overlap: 'queue' })
    const { task } = (await run(id)).body
    const queued = (await run(id, 'queued')).body
    expect(queued).toMatchObject({ outcome: 'QUEUED', message: `task ${task} of the start before has not ended` })
    expect((await get(id)).waitingFor).toBe(queued.at)
    await api.post(`/tasks/${task}/cancel`)
    const started = await eventually(async () => {
      const { body } = await run(id, 'queued')
      expect(body).toMatchObject({ outcome: 'STARTED', at: queued.at })
      return body
    })
    expect((await tasksOf('run.queue')).map((one: { id: string }) => one.id)).toContain(started.task)
  })

  it('cancels the task before, where the schedule says so', async () => {
    const id = await create('run.cancel', { overlap: 'cancel-previous' })
    const first = (await run(id)).body
    const second = (await run(id)).body
    expect(second.outcome).toBe('STARTED')
    expect((await api.get(`/tasks/${first.task}`)).body.status).toBe('CANCELLED')
  })

  it('needs neither an active schedule nor a planned start, and changes neither', async () => {
    const id = await create('run.paused', { state: 'PAUSED', overlap: 'queue' })
    expect((await run(id)).body.outcome).toBe('STARTED')
    expect(await get(id)).toMatchObject({ state: 'PAUSED', next: [], counts: { started: 1 } })
    expect((await run(id)).body.outcome).toBe('QUEUED')
  })

  it('that cannot be is told with its reason, also when it is asked for again', async () => {
    const { id: agent } = (await api.post('/agents', { name: 'run.leaves' })).body
    const id = await create('', { task: { agent: 'run.leaves' } })
    await api.request('DELETE', `/agents/${agent}`)
    const { body } = await run(id, 'refused')
    expect(body).toMatchObject({ outcome: 'REFUSED', message: expect.stringContaining('run.leaves') })
    expect((await run(id, 'refused')).body).toEqual(body)
    expect((await run('sch_00000000000000000000000000')).status).toBe(404)
  })

  it('comes with its part of the jitter, which is told with the next starts', async () => {
    const more = { cron: { expression: '0 9 * * *' }, rate: undefined, jitterSeconds: 3600 }
    const id = await create('run.jitter', more)
    const { next, jitterSeconds } = await get(id)
    expect(jitterSeconds).toBe(3600)
    for (const time of next) expect(time).toMatch(/T09:/)
    expect(new Set(next.map((time: string) => time.slice(11))).size).toBeGreaterThan(1)
    expect((await get(id)).next).toEqual(next)
    const wide = await api.request('PATCH', `/schedules/${id}`, { body: { jitterSeconds: 86_400 } })
    expect(wide.status).toBe(200)
    const hourly = { cron: { expression: '0 * * * *' } }
    const tooWide = await api.request('PATCH', `/schedules/${id}`, { body: hourly })
    expect([tooWide.status, tooWide.body.errors?.[0].pointer]).toEqual([422, '#/jitterSeconds'])
  })
})

it('a start now that breaks off at any write is made once under its key', async () => {
  const { platform, close } = await aPlatform()
  const caller: Caller = { tenant: 'default', principal: { kind: 'key', id: 'k', role: 'admin' }, requestId: 'r' }
  try {
    for (const { last, stored } of deathsAmong(6)) {
      const timing = { rate: { everySeconds: 3600, from: platform.clock.now() } }
      const task = { capability: 'nobody', labels: {} }
      const wish = { timing, task, overlap: 'skip' as const, catchUpSeconds: 300, state: 'ACTIVE' as const }
      const { id } = (await makeSchedule(platform, caller, wish, scheduleTools)).value
      const call = (ports: Platform = platform) =>
        runSchedule(ports, caller, id, { idempotencyKey: 'k' }, scheduleTools)
      await call(dying(platform, last, stored)).catch(() => undefined)
      await attendSchedule(platform, 'default', id, scheduleTools)
      const runs = [await call(), await call()]
      const about = `death at write ${last}, ${stored ? 'stored' : 'not stored'}`
      expect(runs[0], about).toEqual(runs[1])
      expect(runs[0], about).toMatchObject({ outcome: 'STARTED', task: expect.any(String) })
      expect((await getSchedule(platform, 'default', id)).value.counts, about).toMatchObject({ started: 1, skipped: 0 })
    }
  } finally {
    await close()
  }
})
