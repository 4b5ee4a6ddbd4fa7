import { expect, it } from 'vitest'
import { awaited, type Calls } from '../calls.ts'

/** What operators do to tasks and agents. */
export const controlScenarios = ({ work, post, lease, tell, taskOf, why, call, submit, next }: Calls) => {
  it('cancels a task that waits, which is never handed out, and one that runs, whose worker is told', async () => {
    const worker = await work('aws.cancel', { slots: 5 })
    const runs = await submit('aws.cancel')
    const held = await next(worker)
    const waits = await submit('aws.cancel')
    for (const id of [waits, runs]) expect((await post(`/tasks/${id}/cancel`)).body.status).toBe('CANCELLED')
    const running = [{ taskId: runs, fence: held.fence }]
    const beat = await post(`/instances/${worker.instanceId}/heartbeat`, { running }, { key: worker.token })
    expect([...beat.body.cancel, ...beat.body.lost]).toEqual([runs])
    expect(await tell('complete', worker, held, { result: 1 })).toMatchObject({
      status: 409,
      body: { code: 'STALE_FENCE' },
    })
    expect(await lease(worker, 5, 2)).toEqual([])
    expect(await why(waits)).toMatchObject({ code: 'CANCELLED' })
  })

  it('cancels everything with a label and nothing else', async () => {
    const [some, other] = [await labelled('doomed', 5), await labelled('spared', 1)]
    await awaited(async () => {
      const { body } = await post('/tasks:cancel', { filter: { labels: { fate: 'doomed' } } })
      return body.complete && body.matched === 0
    }, 'the end of all')
    for (const id of some) expect((await taskOf(id)).status).toBe('CANCELLED')
    expect((await taskOf(other[0] ?? '')).status).toBe('QUEUED')
  })
  const labelled = (fate: string, count: number): Promise<string[]> =>
    Promise.all(Array.from({ length: count }, () => submit('aws.nobody', { labels: { fate } })))

  it('hands nothing out of an agent that is paused, and goes on when it is resumed', async () => {
    const worker = await work('aws.rests')
    expect((await post('/agents/aws.rests/pause', { reason: 'a deploy' })).body).toMatchObject({ detail: 'PAUSED' })
    const id = await submit('aws.rests')
    expect(await why(id)).toMatchObject({ code: 'PAUSED', evidence: { agent: 'aws.rests' } })
    expect(await lease(worker, 1, 1)).toEqual([])
    expect((await post('/agents/aws.rests/resume')).body).toMatchObject({ detail: 'READY' })
    expect((await next(worker)).taskId).toBe(id)
  })

  it('does a failed task again as a new one that begins at its checkpoint', async () => {
    const worker = await work('aws.again')
    const id = await submit('aws.again', { input: { page: 1 } })
    const first = await next(worker)
    expect((await tell('progress', worker, first, { checkpoint: { at: 7 } })).status).toBe(202)
    const failure = { code: 'AGENT_ERROR', message: 'not today', retryable: false }
    expect((await tell('fail', worker, first, failure)).body).toEqual({ willRetry: false })
    const retried = await post(`/tasks/${id}/retry`)
    expect(retried).toMatchObject({ status: 202, body: { retryOf: id, attempt: 0 } })
    expect(await next(worker)).toMatchObject({ taskId: retried.body.id, input: { page: 1 }, checkpoint: { at: 7 } })
    expect(await why(id)).toMatchObject({ code: 'AGENT_ERROR' })
  })

  it('runs a task that failed once more after its back-off, without anybody asking', async () => {
    const worker = await work('aws.flaky')
    const id = await submit('aws.flaky', { retry: { attempts: 2, initialSeconds: 2, maxSeconds: 2 } })
    const failure = { code: 'FLAKY', message: 'not today', retryable: true }
    const told = await tell('fail', worker, await next(worker), failure)
    expect(told.body).toMatchObject({ willRetry: true, nextAttemptAt: expect.any(String) })
    const second = await next(worker)
    expect(second).toMatchObject({ taskId: id, attempt: 2 })
    await tell('complete', worker, second, { result: 'now' })
    expect(await taskOf(id)).toMatchObject({ status: 'SUCCEEDED', attempt: 2, result: 'now' })
  })

  it('says why each task does not run', async () => {
    expect(await why(await submit('aws.rare'))).toMatchObject({ code: 'NO_CAPABLE_AGENT' })
    await post('/agents', { name: 'aws.cold', capabilities: [{ name: 'aws.cold' }] })
    expect(await why(await submit('aws.cold'))).toMatchObject({ code: 'NO_INSTANCE' })
    const later = { runAt: new Date(Date.now() + 3_600_000).toISOString() }
    expect(await why(await submit('aws.cold', later))).toMatchObject({ code: 'START_TIME', evidence: later })

    const worker = await work('aws.busy')
    const runs = await submit('aws.busy')
    await next(worker)
    const waits = await submit('aws.busy')
    expect(await why(runs)).toMatchObject({ code: 'RUNNING', evidence: { instance: worker.instanceId } })
    expect(await why(waits)).toMatchObject({ code: 'ALL_SLOTS_BUSY', evidence: { slots: 1, running: 1 } })

    const body = { agents: { 'aws.slow': { rate: { count: 1, seconds: 3600 } } } }
    const slow = await work('aws.slow', { slots: 5 })
    expect((await call('PATCH', '/limits', { body })).status).toBe(200)
    const ids = await Promise.all([submit('aws.slow'), submit('aws.slow')])
    const first = await next(slow)
    expect(await lease(slow, 1, 1)).toEqual([])
    expect(await why(ids.find((id) => id !== first.taskId) ?? '')).toMatchObject({ code: 'RATE' })
  })
}
