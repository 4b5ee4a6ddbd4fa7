import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { loadAgent } from '#agent/runner/load-agent.ts'
import { type Runner, startRunner } from '#agent/runner/runner.ts'
import type { WorkerRequest } from '#agent/runner/task-source.ts'
import { eventually } from '#test/support/eventually.ts'
import { aFakePlatform, aLeasedTask, type FakePlatform, refusal } from './fake-platform.ts'

const sleeper = fileURLToPath(new URL('../../fixtures/agents/sleeper', import.meta.url))

const runners: Runner[] = []
const folders: string[] = []

const start = async ({ source }: FakePlatform, { orphanSeconds = 30, slots = 2 } = {}) => {
  const workspaces = mkdtempSync(join(tmpdir(), 'runner-'))
  folders.push(workspaces)
  const log = () => undefined
  const definition = await loadAgent(sleeper)
  const options = { definition, agent: sleeper, source, slots, secrets: [], orphanSeconds, workspaces, log }
  const runner = startRunner(options)
  runners.push(runner)
  return { runner, workspaces }
}
const running = ({ body }: WorkerRequest) => (body as { running: { taskId: string; fence: string }[] }).running

afterAll(async () => {
  await Promise.all(runners.map((runner) => runner.drain(0)))
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

describe.concurrent('a runner', () => {
  it('tells the platform of a task for which no process can be started', async () => {
    const platform = aFakePlatform()
    const { workspaces } = await start(platform)
    for (const folder of readdirSync(workspaces)) rmSync(join(workspaces, folder), { recursive: true })
    const { taskId, ...task } = aLeasedTask()
    platform.hand({ taskId, ...task })
    await eventually(() =>
      expect(platform.bodies('fail')).toMatchObject([{ fence: '1.1', code: 'AGENT_ERROR', retryable: true }]),
    )
    await eventually(() => expect(platform.over).toEqual([taskId]))
  })

  it('stops the lost lease, and not the newer one of the same task', async () => {
    const asked = Promise.withResolvers<void>()
    const answered = Promise.withResolvers<void>()
    let late = true
    const { taskId } = aLeasedTask()
    const platform = aFakePlatform({
      async answer(request) {
        if (!request.path.endsWith('/heartbeat') || !late || running(request).length === 0) return undefined
        late = false
        asked.resolve()
        await answered.promise
        return { status: 200, body: { renewed: [], lost: [taskId], cancel: [], drain: false } }
      },
    })
    await start(platform)
    platform.hand(aLeasedTask({ input: { ms: 60_000 } }))
    await asked.promise
    platform.hand(aLeasedTask({ fence: '1.2', input: { ms: 400 } }))
    await new Promise((resolve) => setTimeout(resolve, 50))
    answered.resolve()
    await eventually(() => expect(platform.bodies('complete')).toMatchObject([{ fence: '1.2' }]))
    await eventually(() => expect(platform.over).toEqual([taskId]))
  })

  it('runs a lease once, however often it is answered', async () => {
    const platform = aFakePlatform()
    await start(platform)
    platform.hand(aLeasedTask({ input: { ms: 300 } }), aLeasedTask({ input: { ms: 300 } }))
    platform.hand(aLeasedTask({ input: { ms: 300 } }))
    await eventually(() => expect(platform.bodies('complete')).toHaveLength(1))
    expect(platform.bodies('progress').filter(({ percent }) => percent === 10)).toHaveLength(1)
    await eventually(() => expect(platform.over).toHaveLength(1))
    expect(platform.bodies('complete')).toHaveLength(1)
  })

  it('says in its heartbeats what it runs from the lease on', async () => {
    const platform = aFakePlatform()
    await start(platform)
    platform.hand(aLeasedTask({ input: { ms: 60_000 } }))
    await eventually(() =>
      expect(platform.to('heartbeat').map(running)).toContainEqual([{ taskId: aLeasedTask().taskId, fence: '1.1' }]),
    )
  })

  it('ends a run that is cancelled without another word, and lets go of what was held for it', async () => {
    const { taskId } = aLeasedTask()
    const cancelled = { status: 200, body: { renewed: [], lost: [], cancel: [taskId], drain: false } }
    const platform = aFakePlatform({
      answer: (request) => (request.path.endsWith('/heartbeat') && running(request).length > 0 ? cancelled : undefined),
    })
    await start(platform)
    platform.hand(aLeasedTask({ input: { ms: 60_000 } }))
    await eventually(() => expect(platform.over).toEqual([taskId]))
    expect([...platform.to('fail'), ...platform.to('complete')]).toEqual([])
    expect(platform.bodies('usage')).toMatchObject([
      { cpuSeconds: expect.any(Number), bytesWritten: expect.any(Number) },
    ])
  })

  it('hears of each cancel at once from a platform that holds heartbeats, and asks it no more than that takes', async () => {
    const tasks = [1, 2, 3].map((n) => aLeasedTask({ taskId: `tsk_${n}`, input: { ms: 60_000 } }))
    const cancelled = new Set<string>()
    let tell = Promise.withResolvers<void>()
    const ended = ({ signal }: WorkerRequest) =>
      new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()))
    const named = (request: WorkerRequest) => running(request).map(({ taskId }) => taskId)
    const platform = aFakePlatform({
      async answer(request) {
        if (request.path === '/instances') return { status: 201, body: { ...platform.joined, heartbeatSeconds: 10 } }
        if (!request.path.endsWith('/heartbeat')) return undefined
        if (!named(request).some((id) => cancelled.has(id))) await Promise.race([tell.promise, ended(request)])
        const cancel = named(request).filter((id) => cancelled.has(id))
        const body = { renewed: [], lost: [], cancel, drain: false, ...(cancel.length === 0 && { again: true }) }
        return { status: 200, body }
      },
    })
    const cancel = (taskId: string) => {
      cancelled.add(taskId)
      tell.resolve()
      tell = Promise.withResolvers<void>()
    }
    await start(platform, { slots: 3 })
    platform.hand(...tasks)
    await eventually(() => expect(platform.bodies('progress')).toHaveLength(3))
    cancel('none of these')
    await eventually(() => expect(platform.to('heartbeat').map(named).at(-1)).toHaveLength(3))
    const before = platform.to('heartbeat').length
    for (const { taskId } of tasks) {
      cancel(taskId)
      await eventually(() => expect(platform.to('heartbeat').map(named).at(-1)).not.toContain(taskId), 1000)
    }
    await eventually(() => expect(platform.over).toHaveLength(3), 5000)
    expect(platform.to('heartbeat').length - before).toBeLessThanOrEqual(4)
  })

  it('ends itself without a platform, also while a heartbeat hangs', async () => {
    const platform = aFakePlatform({
      answer: ({ path, signal }) =>
        path.endsWith('/heartbeat')
          ? new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
          : undefined,
    })
    const { runner } = await start(platform, { orphanSeconds: 1 })
    expect(await runner.ended).toBe('orphaned')
  })
})

describe.concurrent('the token of an instance', () => {
  const joinsOf = ({ requests }: FakePlatform) =>
    requests.filter(({ method, path }) => method === 'POST' && path === '/instances')
  /** Each join brings the next token, and from then on the platform knows that one alone. */
  const aStrictPlatform = (tokenExpiresIn: number) => {
    let current = 0
    const platform: FakePlatform = aFakePlatform({
      answer({ path, token }) {
        if (path === '/instances') {
          const body = { ...platform.joined, token: `token-number-${++current}`, tokenExpiresIn }
          return { status: 201, body }
        }
        if (/^\/(tasks|instances)\//.test(path) && token !== `token-number-${current}`)
          return refusal(401, 'UNAUTHENTICATED')
        return undefined
      },
    })
    return platform
  }

  it('is renewed under the same key before it expires, and the tasks go on', async () => {
    const platform = aStrictPlatform(0.4)
    await start(platform)
    platform.hand(aLeasedTask({ input: { ms: 1000 } }))
    await eventually(() => expect(platform.bodies('complete')).toHaveLength(1))
    const joins = joinsOf(platform)
    expect(joins.length).toBeGreaterThan(2)
    expect(new Set(joins.map(({ headers }) => headers?.['idempotency-key'])).size).toBe(1)
    expect(platform.to('complete')[0]?.token).not.toBe('token-number-1')
  })

  it('is masked in what tasks report, the new one as well', async () => {
    const platform = aStrictPlatform(0.4)
    await start(platform)
    await eventually(() => expect(joinsOf(platform).length).toBeGreaterThan(1))
    platform.hand(aLeasedTask({ capability: 'token-number-2' }))
    await eventually(() => expect(platform.bodies('fail')).toHaveLength(1))
    expect(JSON.stringify(platform.bodies('fail'))).toContain('does not do ********')
  })
})
