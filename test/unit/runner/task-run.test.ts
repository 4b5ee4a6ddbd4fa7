import { describe, expect, it } from 'vitest'
import { createMask } from '#agent/runner/mask.ts'
import { runTask } from '#agent/runner/task-run.ts'
import type { WorkerRequest } from '#agent/runner/task-source.ts'
import type { LeasedTask } from '#shared/contracts/worker.ts'
import { progressSchema } from '#shared/contracts/worker.ts'
import { eventually } from '#test/support/eventually.ts'
import { aFakePlatform, aLeasedTask, refusal } from './fake-platform.ts'
import { aFakeSlot } from './fake-slot.ts'

type Answer = NonNullable<Parameters<typeof aFakePlatform>[0]>['answer']

const aRun = (answer?: Answer, task: Partial<LeasedTask> = {}) => {
  const platform = aFakePlatform({ answer })
  const { slot, told, say } = aFakeSlot()
  const { source } = platform
  const rest = { agent: 'upper', mask: createMask([]), onContact: () => undefined, graceMs: 50 }
  const run = runTask({ task: aLeasedTask(task), slot, source, ...rest })
  return { run, platform, told, say }
}
const onProgress =
  (status: number, code: string): Answer =>
  ({ path }: WorkerRequest) =>
    path.endsWith('/progress') ? refusal(status, code) : undefined

describe.concurrent('a report that is refused', () => {
  it.each([
    [401, 'UNAUTHENTICATED'],
    [404, 'NOT_FOUND'],
    [409, 'STALE_FENCE'],
  ])('with %i means that the lease is lost: the run stops and reports nothing', async (status, code) => {
    const { run, platform, told, say } = aRun(onProgress(status, code))
    say({ type: 'progress', percent: 1 })
    await run.ended
    expect(told).toContainEqual({ type: 'abort', reason: expect.stringContaining(code) })
    expect(platform.to('fail')).toEqual([])
  })

  it.each([
    [413, 'TOO_LARGE'],
    [422, 'INVALID'],
  ])('with %i ends the attempt, which says what was refused and is not repeated', async (status, code) => {
    const { run, platform, told, say } = aRun(onProgress(status, code))
    say({ type: 'output', chunk: 'x' })
    await run.ended
    expect(platform.bodies('fail')).toEqual([
      {
        fence: '1.1',
        code: 'AGENT_ERROR',
        message: expect.stringContaining(`/progress: ${status} ${code}`),
        retryable: false,
      },
    ])
    expect(told).toContainEqual({ type: 'abort', reason: expect.any(String) })
  })

  it('for its metrics alone is made without them, and says so', async () => {
    const { run, platform, say } = aRun((request) =>
      (request.body as { metrics?: unknown } | undefined)?.metrics ? refusal(422, 'INVALID') : undefined,
    )
    say({ type: 'metric', name: 'not a name', value: 1 })
    say({ type: 'output', chunk: 1 })
    say({ type: 'done', result: 2 })
    await run.ended
    expect(platform.bodies('progress').at(-1)).toEqual({
      fence: '1.1',
      output: [{ chunk: 1 }],
      logs: [{ level: 'warn', message: expect.stringContaining('1 metrics were dropped') }],
    })
    expect(platform.bodies('complete')).toMatchObject([
      { fence: '1.1', result: 2, usage: { cpuSeconds: 0.5, peakMemoryMb: 60 } },
    ])
  })

  it('as a question to people ends the attempt, which says what was refused and is not repeated', async () => {
    const { run, platform, say } = aRun(({ path }) => (path.endsWith('/wait') ? refusal(422, 'INVALID') : undefined))
    say({ type: 'call', id: 1, name: 'wait', argument: { kind: 'input', prompt: '?', checkpoint: null } })
    await run.ended
    expect(platform.bodies('fail')).toMatchObject([
      { code: 'AGENT_ERROR', message: expect.stringContaining('the platform refused'), retryable: false },
    ])
  })

  it('as the result of the task ends the attempt too', async () => {
    const { run, platform, say } = aRun(({ path }) =>
      path.endsWith('/complete') ? refusal(422, 'INVALID') : undefined,
    )
    say({ type: 'done', result: 2 })
    await run.ended
    expect(platform.bodies('fail')).toMatchObject([{ code: 'AGENT_ERROR', retryable: false }])
  })
})

describe.concurrent('what a run reports', () => {
  it('has metrics as the platform takes them', async () => {
    const { run, platform, say } = aRun()
    say({ type: 'metric', name: 'files', value: 3 })
    say({ type: 'done', result: null })
    await run.ended
    expect(progressSchema.safeParse(platform.bodies('progress')[0]).success).toBe(true)
  })

  it('has a key that stays the same when an answer is lost, and is another for the next report', async () => {
    let lost = 0
    const { run, platform, say } = aRun(({ path }) => {
      if (path.endsWith('/progress') && lost++ === 0) throw new Error('the answer is lost')
      return undefined
    })
    say({ type: 'output', chunk: 1 })
    await eventually(() => expect(platform.to('progress')).toHaveLength(2))
    say({ type: 'output', chunk: 2 })
    say({ type: 'done', result: null })
    await run.ended
    const keys = platform.to('progress').map(({ headers }) => headers?.['idempotency-key'])
    expect(keys).toEqual(['1.1.1', '1.1.1', '1.1.2'])
  })

  it('sends a chunk of many bytes as an object, however few characters it has', async () => {
    const { run, platform, say } = aRun()
    say({ type: 'output', chunk: '€'.repeat(60_000) })
    await run.ended
    expect(platform.to('objects').map(({ body }) => body)).toEqual([{ contentType: 'application/json', size: 180_002 }])
  })
})

const measured = { cpuSeconds: 0.5, peakMemoryMb: 60, bytesWritten: 0 }

describe.concurrent('what a run was measured to use', () => {
  const told = ({ requests }: ReturnType<typeof aFakePlatform>) =>
    requests.filter(({ method }) => method === 'PUT').map(({ path, body }) => ({ path, body }))
  const once = [{ path: `/tasks/${aLeasedTask().taskId}/attempts/1.1/usage`, body: measured }]

  it('is told of an attempt that the platform ended, when its processes have', async () => {
    const { run, platform } = aRun()
    run.abort('the task is cancelled', true)
    expect(told(platform)).toEqual([])
    await run.ended
    expect(told(platform)).toEqual(once)
    expect(platform.bodies('progress')).toEqual([])
  })

  it.each(['progress', 'fail', 'complete'])('is told where its %s is refused as stale', async (verb) => {
    const { run, platform, say } = aRun(({ path }) =>
      path.endsWith(`/${verb}`) ? refusal(409, 'STALE_FENCE') : undefined,
    )
    if (verb === 'progress') say({ type: 'progress', percent: 1 })
    else if (verb === 'fail') say({ type: 'failed', code: 'X', message: 'x', retryable: true })
    else say({ type: 'done', result: 1 })
    await run.ended
    expect(told(platform)).toEqual(once)
  })

  it('is told again while its end is not recorded, and not where the platform wants none of it', async () => {
    const answers = [refusal(503, 'CONTENDED'), refusal(404, 'NOT_FOUND')]
    const { run, platform } = aRun(({ method }) => (method === 'PUT' ? answers.shift() : undefined))
    run.abort('the task is cancelled', true)
    await run.ended
    expect(told(platform)).toEqual([...once, ...once])
  })

  it('is not told by an instance that ends, or is unknown', async () => {
    const leaving = aRun()
    leaving.run.abort('the instance has ended')
    const unknown = aRun(onProgress(404, 'NOT_FOUND'))
    unknown.say({ type: 'progress', percent: 1 })
    await Promise.all([leaving.run.ended, unknown.run.ended])
    expect([...told(leaving.platform), ...told(unknown.platform)]).toEqual([])
  })

  it('is reported of an attempt that took too long, also where its handler returned as it was told to stop', async () => {
    const { run, platform, told: toSlot, say } = aRun(undefined, { timeoutSeconds: 0.05 })
    await eventually(() => expect(toSlot).toContainEqual({ type: 'abort', reason: expect.any(String) }))
    say({ type: 'done', result: 'a part' })
    await run.ended
    expect(platform.bodies('progress')).toEqual([{ fence: '1.1', usage: measured }])
    expect(platform.bodies('fail')).toMatchObject([{ code: 'TIMEOUT' }])
  })
})

describe.concurrent('the input of a task', () => {
  it.each(['../tasks', 'obj_1', '../../../etc/passwd'])('is no object where it says %s', async ($ref) => {
    const { run, platform, told, say } = aRun(undefined, { input: { $ref } })
    await eventually(() => expect(told).toMatchObject([{ type: 'run', task: { input: { $ref } } }]))
    say({ type: 'call', id: 1, name: 'fetch', argument: { $ref } })
    await eventually(() =>
      expect(told).toContainEqual({ type: 'answer', id: 1, error: expect.stringContaining('is no object') }),
    )
    say({ type: 'done', result: null })
    await run.ended
    expect(platform.requests.filter(({ method }) => method === 'GET')).toEqual([])
  })

  it('that is an object which is not there fails the attempt', async () => {
    const $ref = `obj_${'0'.repeat(26)}`
    const { run, platform } = aRun(({ path }) => (path.includes($ref) ? refusal(404, 'NOT_FOUND') : undefined), {
      input: { $ref },
    })
    await run.ended
    expect(platform.bodies('fail')).toMatchObject([{ code: 'AGENT_ERROR', retryable: false }])
  })
})

describe.concurrent('a handler that asks people', () => {
  const ask = { kind: 'input' as const, prompt: 'which?', checkpoint: { at: 1 } }

  it('ends there: what it told before goes first, and nothing is told after', async () => {
    const { run, platform, told, say } = aRun()
    say({ type: 'progress', percent: 40 })
    say({ type: 'call', id: 1, name: 'wait', argument: ask })
    await run.ended
    expect(platform.requests.map(({ path }) => path.split('/').at(-1))).toEqual(['progress', 'wait'])
    expect(platform.bodies('progress')).toEqual([{ fence: '1.1', percent: 40, usage: measured }])
    expect(platform.bodies('wait')).toEqual([{ fence: '1.1', ...ask }])
    expect(told.filter(({ type }) => type === 'answer')).toEqual([])
  })

  it('is told when the platform refuses the question, and goes on', async () => {
    const { run, told, say } = aRun(({ path }) => (path.endsWith('/wait') ? refusal(422, 'INVALID') : undefined))
    say({ type: 'call', id: 1, name: 'wait', argument: ask })
    await eventually(() =>
      expect(told).toContainEqual({ type: 'answer', id: 1, error: expect.stringContaining('422') }),
    )
    say({ type: 'done', result: 1 })
    await run.ended
  })

  it('gives the answer to the next run', async () => {
    const resume = { kind: 'input', response: 'main', by: 'key:a' }
    const { run, told, say } = aRun(undefined, { checkpoint: { at: 1 }, resume })
    await eventually(() => expect(told).toContainEqual({ type: 'run', task: expect.objectContaining({ resume }) }))
    say({ type: 'done', result: 1 })
    await run.ended
  })
})

describe.concurrent('a handler that reads its input', () => {
  it('is answered as soon as there is something, in pages from where it is', async () => {
    const pages = [
      { records: [], ended: false, nextAfter: 7, retryAfterSeconds: 0.01 },
      { records: [{ seq: 8, value: 'x' }], ended: true, nextAfter: 8 },
    ]
    const { run, platform, told, say } = aRun(({ path }) =>
      path.includes('/input?') ? { status: 200, body: pages.shift() } : undefined,
    )
    say({ type: 'call', id: 1, name: 'inputs', argument: { after: 7 } })
    const value = { records: [{ seq: 8, value: 'x' }], ended: true }
    await eventually(() => expect(told).toContainEqual({ type: 'answer', id: 1, value }))
    const asked = platform.requests.filter(({ path }) => path.includes('/input?'))
    expect(asked.map(({ path }) => new URLSearchParams(path.split('?')[1]).get('after'))).toEqual(['7', '7'])
    say({ type: 'done', result: 1 })
    await run.ended
  })

  it('stops when its lease is lost', async () => {
    const { told, say } = aRun(({ path }) => (path.includes('/input?') ? refusal(409, 'STALE_FENCE') : undefined))
    say({ type: 'call', id: 1, name: 'inputs', argument: { after: 0 } })
    await eventually(() =>
      expect(told).toContainEqual({ type: 'abort', reason: expect.stringContaining('STALE_FENCE') }),
    )
  })
})

it('an attempt that took too long says so, whatever its handler said as it was told to stop', async () => {
  const { run, platform, told, say } = aRun(undefined, { timeoutSeconds: 0.05 })
  await eventually(() => expect(told).toContainEqual({ type: 'abort', reason: expect.any(String) }))
  say({ type: 'failed', code: 'AGENT_ERROR', message: 'The operation was aborted', retryable: true })
  await run.ended
  expect(platform.bodies('fail')).toMatchObject([{ code: 'TIMEOUT', message: 'the attempt ran longer than 0.05 s' }])
})
