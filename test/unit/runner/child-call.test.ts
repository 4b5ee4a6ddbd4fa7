import { describe, expect, it, vi } from 'vitest'
import { createMask } from '#agent/runner/mask.ts'
import { createSlotContext } from '#agent/runner/slot-context.ts'
import { runTask } from '#agent/runner/task-run.ts'
import { eventually } from '#test/support/eventually.ts'
import { aFakePlatform, aLeasedTask, refusal } from './fake-platform.ts'
import { aFakeSlot } from './fake-slot.ts'

type Answer = NonNullable<Parameters<typeof aFakePlatform>[0]>['answer']
const child = 'tsk_00000000000000000000000002'

/** A run whose handler's context talks to it, over a platform that answers what a child is. */
const aRun = (answer: Answer) => {
  const platform = aFakePlatform({ answer })
  const { slot, told, say } = aFakeSlot()
  const run = runTask({
    task: aLeasedTask(),
    agent: 'upper',
    slot,
    source: platform.source,
    mask: createMask([]),
    onContact: () => undefined,
    graceMs: 50,
  })
  const context = createSlotContext(async (message) => say(message))
  const send = slot.send
  slot.send = (message) => {
    send(message)
    context.receive(message)
  }
  const task = {
    id: 'tsk_1',
    fence: '1.1',
    attempt: 1,
    capability: 'x',
    deadline: '',
    timeoutSeconds: 1,
    traceparent: null,
  }
  const ctx = context.forTask({ ...task, input: null, checkpoint: null })
  return { run, ctx, platform, told }
}
const looks = (...answers: object[]): Answer => {
  const left = [...answers]
  return ({ method, path }) => {
    if (method === 'POST' && path === '/tasks') return { status: 202, body: { id: child, status: 'QUEUED' } }
    if (path === `/tasks/${child}`) return { status: 200, body: { id: child, ...(left.shift() ?? answers.at(-1)) } }
    return undefined
  }
}
const submits = (platform: ReturnType<typeof aFakePlatform>) =>
  platform.requests.filter(({ method, path }) => method === 'POST' && path === '/tasks')

describe('a call of a child task', () => {
  it('submits it below its caller and answers its result when it has ended', async () => {
    const { ctx, platform } = aRun(looks({ status: 'RUNNING' }, { status: 'SUCCEEDED', result: 42 }))
    expect(await ctx.call('sum', [1, 2], { timeoutSeconds: 5, labels: { a: 'b' } })).toBe(42)
    const [request] = submits(platform)
    const parent = aLeasedTask().taskId
    expect(request?.body).toEqual({ capability: 'sum', input: [1, 2], timeoutSeconds: 5, labels: { a: 'b' }, parent })
    expect(request?.headers?.['idempotency-key']).toMatch(new RegExp(`^${parent}/`))
  })

  it('has the same key for the same call in each attempt, and another one for the next like it', async () => {
    const keys = async () => {
      const { ctx, platform } = aRun(looks({ status: 'SUCCEEDED', result: 1 }))
      await Promise.all([
        ctx.call('a', 1),
        ctx.call('a', 1),
        ctx.call({ agent: 'a' }, 1),
        ctx.call('a', 2, { key: 'k' }),
      ])
      return submits(platform).map(({ headers }) => headers?.['idempotency-key'])
    }
    const [first, second] = [await keys(), await keys()]
    expect(second).toEqual(first)
    expect(new Set(first).size).toBe(4)
    expect(first[3]).toMatch(/\/k$/)
  })

  it('sends the same reference for the same large input in each attempt, and its bytes once', async () => {
    const uploads = vi.spyOn(globalThis, 'fetch').mockImplementation(async () => new Response())
    const objects: string[] = []
    const stored: Answer = ({ path, headers }) => {
      if (path !== '/objects') return undefined
      const key = headers?.['idempotency-key'] ?? String(objects.length)
      const known = objects.indexOf(key)
      if (known < 0) objects.push(key)
      const id = `obj_${known < 0 ? objects.length - 1 : known}`
      const upload = { url: `http://127.0.0.1/${id}`, headers: {}, expiresAt: '' }
      return { status: 201, body: known < 0 ? { id, state: 'PENDING', upload } : { id, state: 'STORED' } }
    }
    const ended = looks({ status: 'SUCCEEDED', result: 1 })
    const attempt = async (letter: string) => {
      const { ctx, platform } = aRun((request) => stored(request) ?? ended?.(request))
      await ctx.call('a', letter.repeat(300_000), { key: 'k' })
      return submits(platform).map(({ body }) => (body as { input: unknown }).input)
    }
    expect(await attempt('x')).toEqual([{ $ref: 'obj_0' }])
    expect(await attempt('x')).toEqual([{ $ref: 'obj_0' }])
    expect(await attempt('y')).toEqual([{ $ref: 'obj_1' }])
    expect(uploads).toHaveBeenCalledTimes(2)
    uploads.mockRestore()
  })

  it('fails with the code of the child', async () => {
    const { ctx } = aRun(
      looks({ status: 'FAILED', failure: { code: 'TIMEOUT', message: 'too long', retryable: true } }),
    )
    await expect(ctx.call('sum')).rejects.toMatchObject({
      name: 'AgentError',
      code: 'TIMEOUT',
      message: expect.stringContaining('too long'),
    })
    const cancelled = aRun(looks({ status: 'CANCELLED' }))
    await expect(cancelled.ctx.call('sum')).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  it('says what the platform refused, and ends the run where the caller lost its lease', async () => {
    const refusing = (code: string) => aRun(({ path }) => (path === '/tasks' ? refusal(409, code) : undefined))
    await expect(refusing('TREE_LIMIT').ctx.call('sum')).rejects.toMatchObject({ code: 'TREE_LIMIT', retryable: false })
    const { ctx, run, platform, told } = refusing('STALE_FENCE')
    await expect(ctx.call('sum')).rejects.toThrow('STALE_FENCE')
    await run.ended
    expect(told).toContainEqual({ type: 'abort', reason: expect.stringContaining('STALE_FENCE') })
    expect(platform.to('fail')).toEqual([])
  })

  it('stops to wait when the caller is aborted', async () => {
    const { ctx, run } = aRun(looks({ status: 'RUNNING' }))
    const call = ctx.call('sum')
    run.abort('cancelled')
    await expect(call).rejects.toThrow('cancelled')
    await eventually(() => expect(ctx.signal.aborted).toBe(true))
  })
})
