import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TestApi } from '#test/support/api.ts'
import { apiHosts } from '#test/support/api-hosts.ts'
import { type Joined, runningTasks } from '#test/support/running-tasks.ts'

let api: TestApi
const { lease, running } = runningTasks(() => api)
const notAgain = { code: 'BROKEN', message: 'broke', retryable: false }

describe.each(apiHosts)('the input stream of a task that is done again on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  const append = (id: string, records: unknown[], end = false) => api.post(`/tasks/${id}/input`, { records, end })
  const read = async (id: string, query: string, { token }: Joined) =>
    (await api.get(`/tasks/${id}/input?${query}`, { key: token })).body
  const retry = async (id: string, body: object = {}): Promise<string> =>
    (await api.post(`/tasks/${id}/retry`, body)).body.id
  const numbered = (from: number, values: unknown[]) => values.map((value, at) => ({ seq: from + at, value }))

  /** A task that was given records and has failed behind a checkpoint. */
  const failed = async (name: string, records: unknown[], end = false) => {
    const { joined, id, call } = await running(name)
    await append(id, records, end)
    await call('progress', { checkpoint: { after: 2 } })
    await call('fail', notAgain)
    return { joined, id }
  }

  it('goes on behind the checkpoint with the numbers that its records had, and with the next ones', async () => {
    const { joined, id } = await failed('re.on', ['a', 'b', 'c'])
    const again = await retry(id)
    expect((await append(again, ['d'])).body).toEqual({ lastSeq: 4, unread: 4, ended: false })
    expect(await lease(joined)).toMatchObject({ taskId: again, checkpoint: { after: 2 } })
    expect(await read(again, 'after=2', joined)).toEqual({
      records: numbered(3, ['c', 'd']),
      ended: false,
      nextAfter: 4,
    })
    const next = read(again, 'after=4&wait=5', joined)
    await append(again, ['e'], true)
    expect(await next).toEqual({ records: numbered(5, ['e']), ended: true, nextAfter: 5 })
    expect((await api.get(`/tasks/${id}/input`)).body.records).toEqual(numbered(1, ['a', 'b', 'c']))
    expect((await api.get(`/tasks/${again}/input?after=6`)).body.errors).toMatchObject([{ pointer: '#/query/after' }])
  })

  it('has ended where it had ended, and begins at the first record from the start', async () => {
    const { joined, id } = await failed('re.ended', [1, 2, 3], true)
    const again = await retry(id, { from: 'start' })
    expect((await append(again, [4])).body.code).toBe('INPUT_ENDED')
    expect((await lease(joined)).checkpoint).toBeUndefined()
    expect(await read(again, '', joined)).toEqual({ records: numbered(1, [1, 2, 3]), ended: true, nextAfter: 3 })
  })

  it('is whole after several retries, each of which was given more', async () => {
    const { joined, id } = await failed('re.chain', ['a', 'b'])
    const large = 'x'.repeat(200_000)
    const ids = [id]
    for (const records of [[large, 'd'], [], [large, 'f', 'g']]) {
      const again = await retry(ids.at(-1) ?? '')
      if (records.length > 0) await append(again, records)
      const { fence } = await lease(joined)
      if (ids.push(again) < 4) await api.post(`/tasks/${again}/fail`, { fence, ...notAgain }, { key: joined.token })
    }
    const last = ids.at(-1) ?? ''
    const all = ['a', 'b', large, 'd', large, 'f', 'g']
    expect((await read(last, 'after=3&limit=2', joined)).records).toEqual(numbered(4, ['d', large]))
    const seen: unknown[] = []
    for (let after = 0; after < all.length; ) {
      const page = await read(last, `after=${after}&limit=3`, joined)
      expect(page.records[0].seq).toBe(after + 1)
      seen.push(...page.records)
      after = page.nextAfter
    }
    expect(seen).toEqual(numbered(1, all))
  })

  it('is the same for a retry that is repeated, and empty where there was none', async () => {
    const { id } = await failed('re.once', [1, 2, 3])
    const key = { headers: { 'idempotency-key': 'k' } }
    const again = (await api.post(`/tasks/${id}/retry`, {}, key)).body.id
    await append(again, [4], true)
    expect((await api.post(`/tasks/${id}/retry`, {}, key)).body.id).toBe(again)
    expect((await api.get(`/tasks/${again}/input`)).body.records).toEqual(numbered(1, [1, 2, 3, 4]))
    const none = await failed('re.none', [])
    expect((await append(await retry(none.id), ['first'])).body.lastSeq).toBe(1)
  })
})
