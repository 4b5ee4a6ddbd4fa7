import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TaskResponse } from '#shared/contracts/tasks.ts'
import { freePort } from '#test/support/free-port.ts'
import { aDataFolder, type ServerProcess, until } from '#test/support/server-process.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const sleeper = join(root, 'test/fixtures/agents/sleeper')

/** What the Dockerfile's last stage copies from the repository: the image's own file tree. */
const copied = (): string[] => {
  const lines = readFileSync(join(root, 'agent-container/Dockerfile'), 'utf8').split('\n')
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')))
  return last.flatMap((line) => /^COPY (?!--from)(\S+) /.exec(line)?.[1] ?? [])
}

describe("the container's file tree", () => {
  const folder = aDataFolder()
  const image = mkdtempSync(join(tmpdir(), 'devcycle-image-'))
  let server: ServerProcess
  let container: ChildProcess
  let port: number

  beforeAll(async () => {
    for (const path of copied()) {
      mkdirSync(dirname(join(image, path)), { recursive: true })
      cpSync(join(root, path), join(image, path), { recursive: true })
    }
    symlinkSync(join(root, 'node_modules'), join(image, 'node_modules'))
    server = await folder.start(['--no-agents'])
    port = await freePort()
    const env = {
      PATH: process.env.PATH ?? '',
      DEVCYCLE_URL: server.url,
      DEVCYCLE_API_KEY: server.apiKey,
      DEVCYCLE_HTTP_PORT: String(port),
    }
    container = spawn(process.execPath, ['agent-container/main.ts', '--agent', sleeper], {
      cwd: image,
      env,
      stdio: 'ignore',
    })
  })
  afterAll(async () => {
    container.kill('SIGKILL')
    await folder.close()
    rmSync(image, { recursive: true, force: true })
  })

  const ping = async (): Promise<{ status: string }> =>
    (await fetch(`http://127.0.0.1:${port}/ping`)).json() as Promise<{ status: string }>

  it('runs tasks', async () => {
    const { id } = await server.client.create<TaskResponse>('/tasks', { capability: 'test.sleep', input: { ms: 1500 } })
    await until(async () => (await ping().catch(() => undefined))?.status === 'HealthyBusy', {
      what: 'a busy container',
    })
    const done = await until(async () => {
      const task = await server.client.get<TaskResponse>(`/tasks/${id}`)
      return task.status === 'SUCCEEDED' ? task : undefined
    })
    expect(done.result).toEqual({ slept: 1500, attempt: 1 })
    await until(async () => (await ping()).status === 'Healthy', { what: 'an idle container' })
  })

  it('answers invocations', async () => {
    const invoke = (body: unknown) =>
      fetch(`http://127.0.0.1:${port}/invocations`, { method: 'POST', body: JSON.stringify(body) })
    const good = await invoke({ capability: 'test.sleep', input: { ms: 1 } })
    expect([good.status, await good.json()]).toEqual([200, { slept: 1, attempt: 1 }])
    const bad = await invoke({ capability: 'test.sleep', input: {} })
    expect([bad.status, ((await bad.json()) as { error: string }).error]).toEqual([422, expect.stringContaining('ms')])
    expect((await fetch(`http://127.0.0.1:${port}/nothing`)).status).toBe(404)
  })

  it('drains on SIGTERM: finishes what runs, leaves, and exits 0', async () => {
    const { id } = await server.client.create<TaskResponse>('/tasks', { capability: 'test.sleep', input: { ms: 1500 } })
    await until(async () => (await server.client.get<TaskResponse>(`/tasks/${id}`)).status === 'RUNNING', {
      what: 'the start',
    })
    const ended = new Promise<number | null>((resolve) => container.once('exit', resolve))
    container.kill('SIGTERM')
    expect(await ended).toBe(0)
    expect(await server.client.get<TaskResponse>(`/tasks/${id}`)).toMatchObject({ status: 'SUCCEEDED', attempt: 1 })
    const { items } = await server.client.get<{ items: { state: string; detail: string }[] }>(
      '/agents/sleeper/instances',
    )
    expect(items).toMatchObject([{ state: 'OFFLINE', detail: 'LEFT' }])
  })
})
