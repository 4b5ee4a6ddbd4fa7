import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TestApi } from '#test/support/api.ts'
import { apiHosts } from '#test/support/api-hosts.ts'
import { type Joined, taskCalls } from '#test/support/task-calls.ts'

let api: TestApi

describe.each(apiHosts)('a task that is done again is routed on $host', ({ open }) => {
  beforeAll(async () => {
    api = await open()
  })
  afterAll(() => api?.close())

  const retry = (id: string) => api.post(`/tasks/${id}/retry`)
  const capabilities = (...names: string[]) => ({ capabilities: names.map((name) => ({ name })) })

  /** A task that the instance has failed, behind a checkpoint if there is one. */
  const failed = async (joined: Joined, body: object, checkpoint?: unknown): Promise<string> => {
    const { submit, lease } = taskCalls(api)
    const { id } = await submit(body)
    const [task] = await lease(joined, 1, 5)
    const call = (verb: string, more: object) =>
      api.post(`/tasks/${id}/${verb}`, { fence: task?.fence, ...more }, { key: joined.token })
    if (checkpoint !== undefined) await call('progress', { checkpoint })
    expect((await call('fail', { code: 'BROKEN', message: 'broke', retryable: false })).status).toBe(200)
    return id
  }

  it('to whoever offers its capability when its agent is not there', async () => {
    const { register, join, leave, ids } = taskCalls(api)
    await register('gone', capabilities('weld'))
    const joined = await join('gone')
    const id = await failed(joined, { capability: 'weld' }, { at: 1 })
    await leave(joined)
    await register('here', capabilities('weld'))
    const other = await join('here')
    const again = (await retry(id)).body
    expect(again).toMatchObject({ agent: 'here', routing: { reason: 'here has the best score for weld' } })
    expect(await ids(other, 1, 5)).toEqual([again.id])
  })

  it('to whoever offers its capability when its agent does not any more', async () => {
    const { register, join } = taskCalls(api)
    await register('first', capabilities('cut', 'other'))
    const id = await failed(await join('first'), { capability: 'cut' }, { at: 1 })
    await api.request('PATCH', '/agents/first', { body: capabilities('other') })
    expect((await retry(id)).body).toMatchObject({ agent: null, blockedBy: { code: 'NO_CAPABLE_AGENT' } })
    await register('second', capabilities('cut'))
    expect((await retry(id)).body).toMatchObject({ agent: 'second', routing: { reason: 'only second offers cut' } })
  })

  it('to the agent that had it where it goes on from a checkpoint, as long as that one can', async () => {
    const { register, join } = taskCalls(api)
    await register('maker', { ...capabilities('knit'), version: '1.0.0' })
    const joined = await join('maker', 5)
    const id = await failed(joined, { capability: 'knit' }, { at: 1 })
    const fresh = await failed(joined, { capability: 'knit' })
    await register('twin', capabilities('knit'))
    await join('twin', 5)
    const reason = `maker had task ${id}, and goes on from its checkpoint`
    expect((await retry(id)).body).toMatchObject({ agent: 'maker', routing: { reason } })
    expect((await retry(fresh)).body.routing.reason).toContain('has the best score for knit')
    await api.post('/agents/maker/pause')
    expect((await retry(id)).body).toMatchObject({ agent: 'twin' })
  })

  it('to the agent that was named, whoever else is there', async () => {
    const { register, join, leave } = taskCalls(api)
    await register('asked', capabilities('sew'))
    const joined = await join('asked')
    const id = await failed(joined, { agent: 'asked', capability: 'sew' })
    await leave(joined)
    await register('unasked', capabilities('sew'))
    await join('unasked')
    expect((await retry(id)).body).toMatchObject({ agent: 'asked', routing: { reason: 'agent asked was named' } })
  })
})
