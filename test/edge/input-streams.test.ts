import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type InputStream, inputLimits, streamItem } from '#shared/domain/input/input-stream.ts'
import type { TestApi } from '#test/support/api.ts'
import { apiHosts } from '#test/support/api-hosts.ts'
import { type Joined, runningTasks } from '#test/support/running-tasks.ts'

let api: TestApi
const { joinAs, lease, running } = runningTasks(() => api)

describe.each(apiHosts)('the input stream of a task on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  const read = async (id: string, query: string, joined: Joined) =>
    api.get(`/tasks/${id}/input?${query}`, { key: joined.token })

  it('is in order and numbered, also when it is given before the task runs, and ends', async () => {
    await api.post('/agents', { name: 'in.order', capabilities: [{ name: 'in.order' }] })
    const { id } = (await api.post('/tasks', { capability: 'in.order' })).body
    expect((await api.post(`/tasks/${id}/input`, { records: ['a', 'b'] })).body).toEqual({
      lastSeq: 2,
      unread: 2,
      ended: false,
    })
    const joined = await joinAs('in.order')
    const { fence } = await lease(joined)
    expect((await read(id, `after=0&fence=${fence}`, joined)).body).toEqual({
      records: [
        { seq: 1, value: 'a' },
        { seq: 2, value: 'b' },
      ],
      ended: false,
      nextAfter: 2,
    })
    const next = read(id, 'after=2&wait=5', joined)
    await api.post(`/tasks/${id}/input`, { records: [{ c: 3 }], end: true })
    expect((await next).body).toEqual({ records: [{ seq: 3, value: { c: 3 } }], ended: true, nextAfter: 3 })
    expect((await read(id, 'after=3&wait=5', joined)).body).toEqual({ records: [], ended: true, nextAfter: 3 })
    expect((await api.post(`/tasks/${id}/input`, { records: ['d'] })).body.code).toBe('INPUT_ENDED')
    expect((await api.post(`/tasks/${id}/input`, { end: true })).status).toBe(200)
  })

  it('takes an append once under its key, and each of many at once', async () => {
    const { id, joined } = await running('in.once')
    const append = (records: unknown[], key: string) =>
      api.post(`/tasks/${id}/input`, { records }, { headers: { 'idempotency-key': key } })
    const keys = Array.from({ length: 12 }, (_, at) => `k${at}`)
    const answers = await Promise.all([...keys, ...keys].map((key) => append([key, `${key}'`], key)))
    expect(answers.map(({ status }) => status)).toEqual(Array(24).fill(200))
    expect((await append(['other'], 'k1')).body.code).toBe('IDEMPOTENCY_CONFLICT')
    const { records } = (await read(id, 'limit=1000', joined)).body
    expect(records.map(({ seq }: { seq: number }) => seq)).toEqual(Array.from({ length: 24 }, (_, at) => at + 1))
    expect(records.map(({ value }: { value: string }) => value).sort()).toEqual(
      keys.flatMap((key) => [key, `${key}'`]).sort(),
    )
  })

  it('takes nothing after the end of its task, also where that comes while records are taken', async () => {
    const { id, call } = await running('in.ended')
    const { main } = api.platform
    const transact = main.transact
    main.transact = async (writes) => {
      main.transact = transact
      await call('complete', { result: 0 })
      return main.transact(writes)
    }
    const late = await api.post(`/tasks/${id}/input`, { records: ['late'] })
    expect(late).toMatchObject({ status: 409, body: { code: 'ALREADY_FINISHED' } })
    expect((await api.get(`/tasks/${id}/input`)).body.records).toEqual([])
  })

  it('comes in pages of a bounded size', async () => {
    const { id, joined } = await running('in.pages')
    const parts = [...'abcdefghijkl']
    for (const part of parts) await api.post(`/tasks/${id}/input`, { records: [part.repeat(200_000)] })
    const seen: string[] = []
    for (let after = 0; seen.length < parts.length; ) {
      const page = (await read(id, `after=${after}`, joined)).body
      expect(JSON.stringify(page).length).toBeLessThan(3_000_000)
      seen.push(...page.records.map(({ value }: { value: string }) => value[0]))
      after = page.nextAfter
    }
    expect(seen).toEqual(parts)
  })

  it('is full when too much waits to be read, and takes more once that was read', async () => {
    const { id, joined } = await running('in.full')
    const records = Array.from({ length: 1000 }, (_, at) => at)
    for (let waiting = 0; waiting < inputLimits.records; waiting += 1000)
      expect((await api.post(`/tasks/${id}/input`, { records })).status).toBe(200)
    const full = await api.post(`/tasks/${id}/input`, { records: ['more'] })
    expect(full).toMatchObject({ status: 429, body: { code: 'INPUT_FULL' } })
    expect(full.headers.get('retry-after')).toBe('1')
    expect((await api.post(`/tasks/${id}/input`, { end: false, records: [] })).status).toBe(422)
    await read(id, 'after=1000&limit=1', joined)
    expect((await api.post(`/tasks/${id}/input`, { records: ['more'] })).body.lastSeq).toBe(10_001)
  })

  it('is read by the holder of the current lease alone, and looked at by an administrator', async () => {
    const { id, task, joined } = await running('in.mine')
    await api.post(`/tasks/${id}/input`, { records: [1] })
    await api.post('/agents', { name: 'in.other', capabilities: [{ name: 'in.other' }] })
    expect((await read(id, '', await joinAs('in.other'))).body.code).toBe('STALE_FENCE')
    expect((await read(id, `fence=${task.fence}x`, joined)).body.code).toBe('STALE_FENCE')
    await api.post(`/tasks/${id}/complete`, { fence: task.fence, result: 0 }, { key: joined.token })
    expect((await read(id, '', joined)).body.code).toBe('STALE_FENCE')
    expect((await api.get(`/tasks/${id}/input`)).body.records).toEqual([{ seq: 1, value: 1 }])
    expect((await api.post(`/tasks/${id}/input`, { records: [2] })).body.code).toBe('ALREADY_FINISHED')
  })

  it('makes room again by bytes as well', async () => {
    const { id, joined } = await running('byte.room')
    const mostly: InputStream = {
      last: { seq: 70, bytes: inputLimits.bytes - 10 },
      read: { seq: 0, bytes: 0 },
      ended: false,
    }
    await api.platform.main.write({ op: 'put', item: streamItem('default', id, mostly), expect: 'absent' })
    expect((await api.post(`/tasks/${id}/input`, { records: ['0123456789'] })).body.code).toBe('INPUT_FULL')
    await api.get(`/tasks/${id}/input?after=70`, { key: joined.token })
    expect((await api.post(`/tasks/${id}/input`, { records: ['0123456789'] })).body.lastSeq).toBe(71)
  })
})
