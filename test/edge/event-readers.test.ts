import { createParser } from 'eventsource-parser'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { anApi, type TestApi } from '#test/support/api.ts'

let api: TestApi
let queries = 0

beforeEach(async () => {
  api = await anApi()
  const { main } = api.platform
  const query = main.query.bind(main)
  queries = 0
  main.query = (wish) => {
    if (wish.prefix === 'event#') queries++
    return query(wish)
  }
})
afterEach(() => api?.close())

const running = async () => {
  await api.post('/agents', { name: 'tell', capabilities: [{ name: 'tell' }] })
  const joined = (await api.post('/instances', { agent: 'tell' })).body
  const { id } = (await api.post('/tasks', { capability: 'tell' })).body
  const path = `/instances/${joined.instanceId}/lease?wait=5`
  const [{ fence }] = (await api.post(path, { max: 1 }, { key: joined.token })).body.tasks
  const call = (verb: string, body: object) =>
    api.post(`/tasks/${id}/${verb}`, { fence, ...body }, { key: joined.token })
  return { id, call }
}

type Seen = { id: number; chunk?: unknown }

/** Reads a stream to its end, or until `most` events have come. */
const follow = async (
  id: string,
  { after, most = Number.POSITIVE_INFINITY }: { after?: number; most?: number } = {},
) => {
  const headers = {
    authorization: `Bearer ${api.apiKey}`,
    accept: 'text/event-stream',
    ...(after !== undefined && { 'last-event-id': String(after) }),
  }
  const response = await api.app.request(`/api/v2/tasks/${id}/events`, { headers })
  const seen: Seen[] = []
  const parser = createParser({
    onEvent: ({ id: seq, data }) => seen.push({ id: Number(seq), chunk: JSON.parse(data).data.chunk }),
  })
  const decoder = new TextDecoder()
  for await (const bytes of response.body ?? []) {
    parser.feed(decoder.decode(bytes, { stream: true }))
    if (seen.length >= most) break
  }
  return seen
}
const numbersTo = (last: number) => Array.from({ length: last }, (_, at) => at + 1)

describe('many readers of one task', () => {
  it('each get everything without a gap, from reads that they share', async () => {
    const { id, call } = await running()
    const readers = Array.from({ length: 200 }, () => follow(id))
    for (let round = 0; round < 10; round++)
      await call('progress', { output: Array.from({ length: 20 }, (_, at) => ({ chunk: round * 20 + at })) })
    await call('complete', { result: 0 })
    const all = await Promise.all(readers)
    const last = all[0]?.at(-1)?.id ?? 0
    expect(last).toBe(203)
    for (const seen of all) expect(seen.map((one) => one.id)).toEqual(numbersTo(last))
    const chunks = all[199]?.flatMap(({ chunk }) => (chunk === undefined ? [] : [chunk]))
    expect(chunks).toEqual(numbersTo(200).map((one) => one - 1))
    expect(queries).toBeLessThan(200)
  })

  it('resume where they were, also in the middle of a report and of large chunks', async () => {
    const { id, call } = await running()
    const text = 'x'.repeat(60_000)
    for (let round = 0; round < 12; round++)
      await call('progress', { output: [{ chunk: `${round}a${text}` }, { chunk: `${round}b${text}` }] })
    await call('complete', { result: 0 })
    const whole = await follow(id)
    expect(whole.map((one) => one.id)).toEqual(numbersTo(27))
    const resumed = await Promise.all(numbersTo(26).map((after) => follow(id, { after })))
    for (const [at, seen] of resumed.entries()) expect(seen).toEqual(whole.slice(at + 1))
  })

  it('go on at the end when they say to have seen more, and are refused when they have seen none of it', async () => {
    const { id, call } = await running()
    const rest = follow(id, { after: 99_999 })
    await new Promise((resolve) => setTimeout(resolve, 50))
    await call('complete', { result: 0 })
    expect((await rest).map((one) => one.id)).toEqual([3])
    expect(await follow(id, { after: 99_999 })).toEqual([])
    for (const after of ['x', '-1', '1.5', '99999999999']) {
      const headers = { accept: 'text/event-stream', 'last-event-id': after }
      const { status, body } = await api.get(`/tasks/${id}/events`, { headers })
      expect([status, body.errors?.[0].pointer]).toEqual([422, '#/headers/Last-Event-ID'])
    }
  })

  it('are told what the projector wrote late', async () => {
    const { id, call } = await running()
    const first = await follow(id, { most: 2 })
    const rest = follow(id, { after: first.at(-1)?.id })
    await call('progress', { percent: 1 })
    await call('complete', { result: 0 })
    expect((await rest).map((one) => one.id)).toEqual([3, 4])
  })
})
