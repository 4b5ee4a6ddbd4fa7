import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anApi, type TestApi } from '#test/support/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await anApi()
})
afterAll(() => api?.close())

const definition = { workflow: 'guarded', steps: [{ name: 'only', kind: 'set', value: 1 }] }

type Row = { what: string; make: () => Promise<string>; change?: object }
/** Makes one; answers its path. */
const made = (path: string, body: object) => async (): Promise<string> => {
  const { status, headers } = await api.post(path, body)
  expect(status).toBe(201)
  return (headers.get('location') ?? '').replace('/api/v2', '')
}
const rows: Row[] = [
  { what: 'an agent', make: made('/agents', { name: 'guarded', capabilities: [] }) },
  { what: 'a schedule', make: made('/schedules', { rate: { everySeconds: 3600 }, task: { capability: 'nobody' } }) },
  { what: 'a webhook', make: made('/webhooks', { url: 'https://example.com/hook', events: ['task.failed'] }) },
  { what: 'a hook', make: made('/hooks', { name: 'guarded', scheme: 'github', topic: 'guarded' }) },
  { what: 'a queue', make: made('/queues', { name: 'guarded' }) },
  { what: 'a subscription', make: made('/subscriptions', { topic: 'guarded', target: { bus: true } }) },
  { what: 'a workflow', make: made('/workflows', { definition }), change: { aliases: { live: { 1: 1 } } } },
]

describe('If-Match', () => {
  it.each(rows)('lets $what be changed only as it was read', async ({ make, change }) => {
    const path = await make()
    const write = (state: string) =>
      change === undefined
        ? api.request('DELETE', path, { headers: { 'if-match': state } })
        : api.request('PATCH', path, { body: change, headers: { 'if-match': state } })
    const { status, headers } = await api.get(path)
    const etag = headers.get('etag') ?? ''
    expect([status, etag]).toEqual([200, expect.stringMatching(/^".+"$/)])
    for (const other of [
      '"nonsense"',
      '"non", "sense"',
      `W/${etag}`,
      `W/${etag}, "nonsense"`,
      `"${etag.slice(1, -1)}, x"`,
    ])
      expect(await write(other)).toMatchObject({ status: 412, body: { code: 'PRECONDITION_FAILED' } })
    expect((await write(`W/"weak" ,"a, b",${etag}`)).status).toBe(change === undefined ? 204 : 200)
  })
})
