import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TestApi } from '#test/support/api.ts'
import { apiHosts } from '#test/support/api-hosts.ts'

let api: TestApi

describe.each(apiHosts)('events on $host', ({ open }) => {
  let path: string
  beforeAll(async () => {
    api = await open()
    const { id } = (await api.post('/tasks', { capability: 'nobody' })).body
    await api.post(`/tasks/${id}/cancel`)
    path = `/tasks/${id}/events`
  })
  afterAll(() => api?.close())

  const stream = 'text/event-stream'
  const json = 'application/json'
  it.each([
    ['text/event-stream', stream],
    ['Text/Event-Stream', stream],
    ['application/json, text/event-stream', stream],
    ['text/event-stream, */*', stream],
    ['text/event-stream, application/json;q=0.5', stream],
    ['text/event-stream;q=0, application/json', json],
    ['text/event-stream;q=0', json],
    ['text/event-stream;q=0.5, application/json', json],
    ['text/event-stream;q=0.5, */*', json],
    ['text/event-streams', json],
    ['*/*', json],
  ])('come to who accepts %s as %s', async (accept, type) => {
    const { status, headers } = await api.get(path, { headers: { accept } })
    expect([status, headers.get('content-type')]).toEqual([200, type])
  })
})
