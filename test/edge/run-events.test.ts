import { createParser } from 'eventsource-parser'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunStreamEvent } from '#shared/contracts/workflows.ts'
import { anApi, type TestApi } from '#test/support/api.ts'
import { eventually } from '#test/support/eventually.ts'
import { aRowWorker } from '#test/support/row-worker.ts'

let api: TestApi
let worker: Awaited<ReturnType<typeof aRowWorker>>
beforeAll(async () => {
  api = await anApi()
  worker = await aRowWorker(api, 'hand', ['double', 'undo', 'break'], (input, { capability }) =>
    capability === 'break' ? { fails: { code: 'AGENT_ERROR', message: 'broken' } } : { result: Number(input) * 2 },
  )
})
afterAll(async () => {
  await worker?.stop()
  await api?.close()
})

const startOf = async (definition: string, input?: unknown): Promise<string> => {
  const { body } = await api.post('/workflows', { definition })
  return (await api.post(`/workflows/${body.name}/runs`, { input })).body.id
}
/** Reads a stream to its end, or until `most` events have come. */
const follow = async (
  id: string,
  { after, most = Number.POSITIVE_INFINITY }: { after?: string; most?: number } = {},
) => {
  const headers = {
    authorization: `Bearer ${api.apiKey}`,
    accept: 'text/event-stream',
    ...(after !== undefined && { 'last-event-id': after }),
  }
  const response = await api.app.request(`/api/v2/runs/${id}/events`, { headers })
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  const seen: RunStreamEvent[] = []
  const parser = createParser({ onEvent: ({ data }) => seen.push(JSON.parse(data)) })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  for (;;) {
    const part = await reader?.read()
    if (part?.done !== false) return seen
    parser.feed(part.value)
    if (seen.length < most) continue
    await reader?.cancel()
    return seen
  }
}
const typesOf = (events: RunStreamEvent[]) =>
  events.map(({ type, data }) => (type === 'run.state' ? `= ${data.state}` : `${data.type} ${data.name ?? ''}`.trim()))

describe('the events of a run', () => {
  it('come as they happen, from the first to the state that it ends in', async () => {
    const id = await startOf(
      'workflow: two\nsteps: [{ name: a, kind: task, capability: double, input: 2 }, { name: said, kind: approval, prompt: x }]',
    )
    const following = follow(id)
    const approval = await eventually(async () => {
      const [found] = (await api.get('/approvals?state=PENDING')).body.items
      expect(found).toBeDefined()
      return found.id as string
    })
    await api.post(`/approvals/${approval}/approve`)
    const events = await following
    const types = typesOf(events)
    expect(types[0]).toBe('= RUNNING')
    expect(types.filter((type) => type.startsWith('TaskStateEntered'))).toEqual([
      'TaskStateEntered a',
      'TaskStateEntered said',
    ])
    expect(types.at(-2)).toBe('ExecutionSucceeded')
    expect(types.at(-1)).toBe('= SUCCEEDED')
    const history = events.filter(({ type }) => type === 'run.history')
    expect(history.map((event) => event.id)).toEqual(history.map((_, at) => String(at + 1)))
    expect(history.filter(({ data }) => 'input' in data || 'output' in data)).toEqual([])
  })

  it('go on behind the last one that was seen, without a gap and without repetition', async () => {
    const id = await startOf('workflow: one\nsteps: [{ name: a, kind: task, capability: double, input: 2 }]')
    const whole = (await follow(id)).filter(({ type }) => type === 'run.history')
    const seen: RunStreamEvent[] = []
    while (seen.length < whole.length) {
      const part = await follow(id, { after: seen.at(-1)?.id ?? '0', most: 2 })
      seen.push(...part.filter(({ type }) => type === 'run.history'))
      expect(seen.length).toBeLessThanOrEqual(whole.length)
    }
    expect(seen).toEqual(whole)
    expect(typesOf(await follow(id, { after: whole.at(-1)?.id }))).toEqual(['= SUCCEEDED'])
  })

  it('tell what is undone, and go on in the midst of that', async () => {
    const id = await startOf(`
workflow: saga
steps:
  - { name: a, kind: task, capability: double, input: 2, compensate: [{ name: una, kind: task, capability: undo, input: 1 }] }
  - { name: b, kind: task, capability: break }
`)
    const events = await follow(id)
    const types = typesOf(events)
    expect(types.at(-1)).toBe('= FAILED')
    expect(types).toContain('= COMPENSATING')
    expect(types.indexOf('ExecutionFailed')).toBeLessThan(types.indexOf('TaskStateEntered una'))
    const undo = events.find(({ data }) => data.name === 'una')
    expect(undo?.id).toMatch(/^\d+\.\d+$/)
    const rest = await follow(id, { after: undo?.id })
    expect(rest).toEqual(events.slice(events.indexOf(undo as RunStreamEvent) + 1))
  })

  it('go on at the end for who says to have seen more, and are refused to who has seen none of them', async () => {
    const id = await startOf('workflow: one\nsteps: [{ name: a, kind: task, capability: double, input: 2 }]')
    const last = (await follow(id)).at(-1)
    expect(await follow(id, { after: '99999' })).toEqual([last])
    expect(await follow(id, { after: `${last?.id}.7` })).toEqual([last])
    expect((await api.get(`/runs/${id}/events?after=99999`)).body.items).toEqual([last])
    for (const after of ['x', '-1', '1.2.3', '9999999999999']) {
      const headers = { accept: 'text/event-stream', 'last-event-id': after }
      const { status, body } = await api.get(`/runs/${id}/events`, { headers })
      expect([status, body.errors?.[0].pointer]).toEqual([422, '#/headers/Last-Event-ID'])
    }
  })

  it('are a list where nobody takes a stream, and not there for a stranger', async () => {
    const id = await startOf('workflow: one\nsteps: [{ name: a, kind: task, capability: double, input: 2 }]')
    await follow(id)
    const { items, nextCursor } = (await api.get(`/runs/${id}/events`)).body
    expect(items.at(-1).data.type).toBe('ExecutionSucceeded')
    expect((await api.get(`/runs/${id}/events?after=${nextCursor}`)).body).toMatchObject({
      items: [{ type: 'run.state', data: { state: 'SUCCEEDED' } }],
      nextCursor: null,
    })
    expect((await api.get(`/runs/${id}/events?after=x`)).status).toBe(422)
    expect((await api.get(`/runs/${id}/events`, { key: await api.keyOf('other') })).status).toBe(404)
  })
})
