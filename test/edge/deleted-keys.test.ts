import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anApi, anAwsApi, type TestApi } from '#test/support/api.ts'
import { dynoxideBinary } from '#test/support/aws-servers.ts'

const hosts = [
  { host: 'the embedded host', open: anApi },
  ...(dynoxideBinary() === undefined ? [] : [{ host: 'AWS', open: anAwsApi }]),
]
let api: TestApi

describe.each(hosts)('an idempotency key on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
    await api.post('/agents', { name: 'listener' })
  })
  afterAll(() => api?.close())

  it.each([
    ['webhook', '/webhooks', { url: 'http://8.8.8.8/' }],
    ['schedule', '/schedules', { rate: { everySeconds: 9999 }, task: { capability: 'nobody' } }],
    ['agent', '/agents', { name: 'short-lived' }],
    ['subscription', '/subscriptions', { topic: 'a.b', target: { agent: 'listener' } }],
    ['hook', '/hooks', { name: 'short-lived-hook', scheme: 'github', topic: 'pushes' }],
  ])('whose %s was deleted is used up', async (what, path, body) => {
    const headers = { 'idempotency-key': 'once' }
    const made = await api.post(path, body, { headers })
    expect(made.status).toBe(201)
    const { id, name } = made.body
    expect((await api.request('DELETE', `${path}/${what === 'hook' ? name : id}`)).status).toBe(204)
    for (const again of [body, { ...body, description: 'other' }]) {
      const { status, body: problem } = await api.post(path, path === '/schedules' ? body : again, { headers })
      expect({ status, code: problem.code }).toEqual({ status: 409, code: 'IDEMPOTENCY_CONFLICT' })
      expect(problem.detail).toMatch(
        new RegExp(`^the idempotency key once was used for ${what} \\S+, which has been deleted; use a new key`),
      )
    }
    const anew = await api.post(path, body, { headers: { 'idempotency-key': 'twice' } })
    expect(anew.status).toBe(201)
    expect(anew.body.id).not.toBe(id)
  })
})
