import { execFile } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import type { TaskResponse } from '#shared/contracts/tasks.ts'
import { blockOf } from '#test/support/markdown.ts'
import { startProtocolWorker } from '#test/support/protocol-worker.ts'
import { aDataFolder, runCli, type ServerProcess, until } from '#test/support/server-process.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const home = mkdtempSync(join(tmpdir(), 'devcycle-faults-'))
const folder = aDataFolder()
const history = join(home, 'history.jsonl')
const plan = join(home, 'faults.json')

afterAll(async () => {
  await folder.close()
  rmSync(home, { recursive: true, force: true })
})

/** The page's own command, on this test's history and data folder. */
const check = (): Promise<{ code: number; stdout: string }> => {
  const command = blockOf('fault-hooks.md', 'check').replace('history.jsonl', `"${history}"`)
  const env = { ...process.env, DEVCYCLE_DATA: folder.dataDir }
  return new Promise((resolve) =>
    execFile('bash', ['-c', command], { cwd: root, env, timeout: 80_000 }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout: stdout + stderr }),
    ),
  )
}

const count = (stdout: string, column: string): number =>
  Number(new RegExp(`^${column} +(\\d+)$`, 'm').exec(stdout)?.[1])

describe('a server that fails on purpose', () => {
  it('dies by its plan, goes on, and its history is good; a forged one is not', async () => {
    writeFileSync(plan, blockOf('fault-hooks.md', 'faults.json'))
    const start = () => folder.start(['--no-agents', '--fault-plan', plan, '--history', history])
    let server: ServerProcess = await start()
    await server.client.create('/agents', { name: 'doer', type: 'test', capabilities: [{ name: 'do' }] })
    const deep = `{"capability":"do","input":${'['.repeat(20_000)}${']'.repeat(20_000)}}`
    const headers = { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' }
    const refused = await fetch(`${server.url}/api/v2/tasks`, { method: 'POST', headers, body: deep })
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([422, 'INVALID'])
    const startWorkers = async () =>
      Promise.all(
        [1, 2].map(() =>
          startProtocolWorker({
            url: () => server.url,
            apiKey: server.apiKey,
            agent: 'doer',
            slots: 2,
            work: async () => 'done',
          }),
        ),
      )
    const early = await startWorkers()
    const first = Array.from({ length: 40 }, () =>
      server.client.create<TaskResponse>('/tasks', { capability: 'do', input: 1 }),
    )
    void Promise.allSettled(first) // some are told after the restart, or never
    expect(await server.ended).toBe('SIGKILL')
    writeFileSync(plan, JSON.stringify({ rules: JSON.parse(readFileSync(plan, 'utf8')).rules.slice(0, 4) }))
    server = await start()
    // What an old worker was being handed when the server died would be taken back after its lease; so at once.
    await Promise.all(early.map((worker) => worker.stop()))
    for (const { joined } of early) await server.client.request('DELETE', `/instances/${joined.instanceId}`)
    const late = await startWorkers()
    const last = await server.client.create<TaskResponse>('/tasks', { capability: 'do', input: 'last' })
    await until(async () => (await server.client.get<TaskResponse>(`/tasks/${last.id}`)).status === 'SUCCEEDED')
    const target = { capability: 'do' }
    const onTopic = (topic: string) => server.client.create<{ id: string }>('/subscriptions', { topic, target })
    const [, short] = [await onTopic('kept.things'), await onTopic('short.things')]
    for (const topic of ['kept.things', 'short.things'])
      await server.client.create('/messages', { kind: 'event', to: { topic }, type: 'thing.came', data: topic })
    await server.client.create('/messages', { kind: 'command', to: { capability: 'do' }, data: 'commanded' })
    const timing = { cron: { expression: '0 0 1 1 *' } }
    const schedule = await server.client.create<{ id: string }>('/schedules', { ...timing, task: target })
    await server.client.create(`/schedules/${schedule.id}/run`, {})
    const inputs = async () =>
      (await server.client.get<{ items: TaskResponse[] }>('/tasks?limit=4')).items.filter(
        ({ hops, schedule: of }) => hops !== undefined || of !== undefined,
      )
    await until(async () => (await inputs()).length === 3)
    await server.client.request('DELETE', `/subscriptions/${short.id}`)
    const good = await check()
    for (const column of ['lost', 'unexpected', 'duplicated', 'stale_accepted', 'illegal_transition', 'stuck'])
      expect(count(good.stdout, column), `${column} of ${good.stdout}`).toBe(0)
    expect(good.code).toBe(0)
    expect(readFileSync(history, 'utf8')).not.toContain(server.apiKey)
    expect(readFileSync(history, 'utf8').match(/"type":"start"/g)).toHaveLength(2)

    const id = 'tsk_00000000000000000000000000'
    const asked = { type: 'call', id: 'forged', operation: 'submitTask', params: {}, principal: 'key:key_1' }
    const answered = { type: 'answer', id: 'forged', ms: 1, status: 202, task: { id, status: 'QUEUED' } }
    appendFileSync(history, `${JSON.stringify(asked)}\n${JSON.stringify(answered)}\n{"type":"ans`)
    const bad = await check()
    expect([bad.code, count(bad.stdout, 'lost'), count(bad.stdout, 'stuck')]).toEqual([1, 1, 0])
    expect(bad.stdout).toContain('1 torn line')
    await Promise.all(late.map((worker) => worker.stop()))
  }, 120_000)

  it('is refused with a plan that is not right, which is told by its place', async () => {
    writeFileSync(plan, JSON.stringify({ rules: [{ fault: 'duplicate', where: 'main.write', nth: 1 }] }))
    const { code, stderr } = await runCli(['start', '--data', join(home, 'never'), '--fault-plan', plan])
    expect(code).toBe(2)
    expect(stderr).toContain('#/rules/0/where: a duplicate cannot be at main.write; it can be at queues.send')
  })
})
