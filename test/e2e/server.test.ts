import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AgentResponse } from '#shared/contracts/agents.ts'
import type { AttemptResponse, TaskEvent, TaskResponse } from '#shared/contracts/tasks.ts'
import { startProtocolWorker } from '#test/support/protocol-worker.ts'
import { aDataFolder, runCli, type ServerProcess, until } from '#test/support/server-process.ts'

const events = (server: ServerProcess, id: string) =>
  server.client.get<{ items: TaskEvent[] }>(`/tasks/${id}/events?limit=200`)

describe('a server that is killed under load', () => {
  const folder = aDataFolder()
  afterAll(() => folder.close())

  it('loses nothing it acknowledged, completes nothing twice, and leaves no gap in the events', async () => {
    let server = await folder.start(['--no-agents'])
    const { apiKey } = server
    await server.client.create('/agents', { name: 'w', capabilities: [{ name: 'w' }] })
    const { promise: restarted, resolve: noteRestarted } = Promise.withResolvers<void>()
    let begun = 0
    const worker = await startProtocolWorker({
      url: () => server.url,
      apiKey,
      agent: 'w',
      slots: 200,
      work: async (task) => {
        if (++begun > 100) await restarted // however slow the machine is, so many are in flight then
        await sleep(Math.random() * 1500)
        return { of: task.taskId, attempt: task.attempt }
      },
    })
    const submitted = await Promise.all(
      Array.from({ length: 300 }, () => server.client.create<TaskResponse>('/tasks', { capability: 'w' })),
    )
    await until(() => worker.running() > 150, { what: '150 tasks in flight' })
    server.child.kill('SIGKILL')
    await server.ended
    server = await folder.start(['--no-agents'])
    noteRestarted()
    const ids = submitted.map(({ id }) => id)
    for (const id of ids)
      await until(async () => (await server.client.get<TaskResponse>(`/tasks/${id}`)).status === 'SUCCEEDED', {
        seconds: 60,
        what: `the end of ${id}`,
      })
    for (const id of ids) {
      const items = (await events(server, id)).items
      expect(items.map(({ seq }) => seq)).toEqual(items.map((_, at) => at + 1))
      expect(items.filter(({ data }) => data.status === 'SUCCEEDED')).toHaveLength(1)
    }
    await worker.stop()
    server.child.kill('SIGTERM')
    expect(await server.ended).toBe(0)
    expect(folder.exists('server.json')).toBe(false)
  }, 90_000)
})

describe('supervised agents', () => {
  const folder = aDataFolder()
  const fixture = new URL('../fixtures/agents/sleeper', import.meta.url).pathname
  let server: ServerProcess
  beforeAll(async () => {
    server = await folder.start(['--agent', fixture])
    await until(
      async () =>
        (await server.client.get<{ items: AgentResponse[] }>('/agents?capability=test.sleep')).items[0]?.state ===
        'ONLINE',
      { what: 'the agent' },
    )
  })
  afterAll(() => folder.close())

  const submit = (capability: string, input: unknown, more = {}) =>
    server.client.create<TaskResponse>('/tasks', { capability, input, ...more })
  const task = (id: string) => server.client.get<TaskResponse>(`/tasks/${id}`)
  const ended = (id: string, seconds = 15) =>
    until(
      async () => {
        const found = await task(id)
        return ['SUCCEEDED', 'FAILED', 'CANCELLED'].includes(found.status) ? found : undefined
      },
      { seconds, what: `the end of ${id}` },
    )
  const runnerPid = async (): Promise<number> => {
    const { execFileSync } = await import('node:child_process')
    const lines = execFileSync('ps', ['-eo', 'pid,ppid,args']).toString().split('\n')
    const line = lines.find(
      (one) =>
        one.includes('agent-container/main.ts') &&
        one.includes(fixture) &&
        one.trim().split(/\s+/)[1] === String(server.child.pid),
    )
    return Number(line?.trim().split(/\s+/)[0])
  }

  it('runs a task again within moments when its agent is killed', async () => {
    const { id } = await submit('test.sleep', { ms: 1500 })
    await until(async () => (await task(id)).status === 'RUNNING', { what: 'the start' })
    process.kill(await runnerPid(), 'SIGKILL')
    const done = await ended(id)
    expect(done).toMatchObject({ status: 'SUCCEEDED', attempt: 2, result: { attempt: 2 } })
    const { items } = await server.client.get<{ items: AttemptResponse[] }>(`/tasks/${id}/attempts`)
    expect(items.map(({ outcome }) => outcome)).toEqual(['LEASE_LOST', 'SUCCEEDED'])
    // Its end was heard: nobody waited until its lease was over, 30 s later.
    expect(Date.parse(items[1]?.startedAt ?? '') - Date.parse(items[0]?.finishedAt ?? '')).toBeLessThan(12_000)
  })

  it('finishes what it runs when it is drained, and is started again when it is activated, or scaled', async () => {
    const { id } = await submit('test.sleep', { ms: 1500 })
    await until(async () => (await task(id)).status === 'RUNNING', { what: 'the start' })
    const operate = (operation: string, body = {}) =>
      server.client.request<AgentResponse>('POST', `/agents/sleeper/${operation}`, { body })
    const live = async (count: number) =>
      until(async () => (await server.client.get<AgentResponse>('/agents/sleeper')).instances.live === count, {
        what: `${count} instances`,
      })
    await operate('drain')
    const next = await submit('test.sleep', { ms: 1 })
    expect((await ended(id)).status).toBe('SUCCEEDED')
    await live(0)
    expect((await task(next.id)).status).toBe('QUEUED')
    await operate('activate')
    expect((await ended(next.id)).status).toBe('SUCCEEDED')
    await operate('scale', { instances: 2 })
    await live(2)
    await operate('scale', { instances: 0 })
    await live(0)
    expect((await ended((await submit('test.sleep', { ms: 1 })).id)).status).toBe('SUCCEEDED')
    await operate('scale', { instances: null })
    await live(1)
  })

  it('goes on to the next task for as long as there are any', async () => {
    const submitted = await Promise.all(Array.from({ length: 8 }, () => submit('test.sleep', { ms: 1 })))
    for (const { id } of submitted) expect((await ended(id)).status).toBe('SUCCEEDED')
  })

  it('shows a slot nothing of its surroundings but what it needs', async () => {
    const { id } = await submit('test.environment', null)
    const { result } = await ended(id)
    const { environment, workspace } = result as { environment: Record<string, string>; workspace: string }
    expect(Object.keys(environment).filter((name) => /KEY|TOKEN|SECRET|DEVCYCLE|AWS/.test(name))).toEqual([])
    expect(environment.HOME).toBe(workspace)
  })

  it('takes a crash of a slot as a failed attempt, and all of them as poison', async () => {
    const { id } = await submit('test.crash', null, { retry: { attempts: 2, initialSeconds: 0.1 } })
    const done = await ended(id)
    expect(done).toMatchObject({ status: 'FAILED', attempt: 2, failure: { code: 'POISON' } })
    expect(done.failure?.message).toContain('exit code 7')
  })

  it('ends a task that takes more memory than its cap', async () => {
    const { id } = await submit('test.memory', null)
    expect((await ended(id)).failure).toMatchObject({
      code: 'RESOURCE_LIMIT',
      message: expect.stringContaining('memory'),
    })
  })

  it('times an attempt out and kills its process', async () => {
    const { id } = await submit('test.sleep', { ms: 60_000 }, { timeoutSeconds: 1, retry: { attempts: 1 } })
    expect((await ended(id)).failure?.code).toBe('TIMEOUT')
    const { outcome, usage } = await until(
      async () => {
        const { items } = await server.client.get<{ items: AttemptResponse[] }>(`/tasks/${id}/attempts`)
        return items[0]?.usage && items[0]
      },
      { what: 'what the attempt used' },
    )
    expect([outcome, usage]).toEqual(['TIMEOUT', expect.objectContaining({ cpuSeconds: expect.any(Number) })])
  })

  it('streams what a generator yields, in order, and keeps large results by reference', async () => {
    const { id } = await submit('test.stream', null)
    expect((await ended(id)).result).toBe('streamed')
    const chunks: unknown[] = []
    for (let after = 0, more = true; more; ) {
      const { items } = await server.client.get<{ items: TaskEvent[] }>(`/tasks/${id}/events?limit=200&after=${after}`)
      chunks.push(
        ...items.filter(({ type }) => type === 'task.output').map(({ data }) => (data.chunk as { n: number }).n),
      )
      after = items.at(-1)?.seq ?? after
      more = items.length === 200
    }
    expect(chunks).toEqual(Array.from({ length: 2000 }, (_, n) => n))
    const large = await submit('test.large', { size: 1_000_000 })
    expect((await ended(large.id)).resultRef).toBeDefined()
    const result = await server.client.get<{ text: string }>(`/tasks/${large.id}/result`)
    expect(result.text).toHaveLength(1_000_000)
  })

  it('is refused in one line when a second server wants the same folder', async () => {
    const second = await runCli(['start', '--port', '0', '--data', folder.dataDir])
    expect(second).toMatchObject({ code: 1, stdout: '' })
    expect(second.stderr).toMatch(/^devcycle: another DevCycle server is running on .*\n$/)
  })

  it('leaves no process behind when it is stopped, and exits 0', async () => {
    const pid = await runnerPid()
    server.child.kill('SIGINT')
    expect(await server.ended).toBe(0)
    expect(() => process.kill(pid, 0)).toThrow()
    expect(server.output()).toContain('stopped')
  })
})
