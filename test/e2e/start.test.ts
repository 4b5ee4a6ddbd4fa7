import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { ObjectResponse } from '#shared/contracts/objects.ts'
import { startCli } from '#test/support/cli-process.ts'
import { eventually } from '#test/support/eventually.ts'
import { aFolder } from '#test/support/folders.ts'
import { aRepository } from '#test/support/git-repository.ts'
import { aDataFolder, runCli, type ServerProcess } from '#test/support/server-process.ts'

const folder = aDataFolder()
let server: ServerProcess
beforeAll(async () => {
  server = await folder.start(['--no-agents'])
})
afterAll(() => folder.close())

/** A request with whatever `Host` and `Origin` a browser could be made to send. */
const ask = (
  path: string,
  headers: Record<string, string>,
  body?: Buffer,
  method = 'GET',
): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    const sent = request(`${server.url}${path}`, { method, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    sent.on('error', reject)
    sent.end(body)
  })

/** Linux tells what a process has in memory. */
it.runIf(process.platform === 'linux')('a server at rest has given back what only its start needed', async () => {
  const residentMb = (): number =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))?.[1]) / 1024
  await eventually(() => expect(residentMb()).toBeLessThan(165))
})

describe('a start that cannot work is one clear line and exit 1', () => {
  const refused = async (args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runCli(['start', '--no-agents', '--no-tour', ...args])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^devcycle: [^\n]+\n$/)
    return stderr
  }

  it('a port in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const { port } = taken.address() as { port: number }
    const home = mkdtempSync(join(tmpdir(), 'devcycle-port-'))
    expect(await refused(['--port', String(port), '--data', join(home, 'data')])).toContain(
      `port ${port} on 127.0.0.1 is in use`,
    )
    taken.close()
    rmSync(home, { recursive: true, force: true })
  })

  it('a data folder that is a file', async () => {
    const home = mkdtempSync(join(tmpdir(), 'devcycle-file-'))
    writeFileSync(join(home, 'data'), 'mine')
    expect(await refused(['--port', '0', '--data', join(home, 'data')])).toContain(join(home, 'data'))
    rmSync(home, { recursive: true, force: true })
  })

  it('a host that has no address', async () => {
    const home = mkdtempSync(join(tmpdir(), 'devcycle-host-'))
    const args = ['--port', '0', '--host', 'nosuch.invalid', '--data', home]
    expect(await refused(args)).toContain('the host nosuch.invalid')
    rmSync(home, { recursive: true, force: true })
  })

  it('a data folder where the system takes none', async () => {
    expect(await refused(['--port', '0', '--data', '/proc/devcycle/data'])).toContain('/proc/devcycle/data')
  })

  it('a database that is damaged', async () => {
    const home = mkdtempSync(join(tmpdir(), 'devcycle-damaged-'))
    writeFileSync(join(home, 'devcycle.db'), 'no database '.repeat(1000))
    expect(await refused(['--port', '0', '--data', home])).toMatch(/devcycle\.db is damaged .*restore a backup/)
    rmSync(home, { recursive: true, force: true })
  })

  it('an empty variable is as if it were not set', async () => {
    const env = { DEVCYCLE_PORT: '', DEVCYCLE_HOST: '', DEVCYCLE_AGENTS: '', DEVCYCLE_DATA: '/proc/devcycle/data' }
    expect((await runCli(['start'], env)).stderr).toContain('/proc/devcycle/data cannot be used')
  })

  it('what webhooks may call and nothing is called', async () => {
    const { code, stderr } = await runCli(['start', '--egress-allow', '10.0.0.0/99'])
    expect([code, stderr]).toEqual([2, expect.stringContaining('--egress-allow 10.0.0.0/99: expected host[:port]')])
  })

  it('an agent that is not there', async () => {
    const { code, stderr } = await runCli([
      'start',
      '--port',
      '0',
      '--data',
      join(tmpdir(), 'never-made'),
      '--agent',
      '/no/such/agent',
    ])
    expect([code, stderr]).toEqual([1, expect.stringContaining('/no/such/agent')])
  })

  it.each(['--history', '--fault-plan'])('a file of %s that cannot be is wrong usage', async (option) => {
    const args = ['start', '--no-agents', '--data', join(tmpdir(), 'never-made'), option, '/no/such/file']
    const { code, stderr } = await runCli(args)
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^devcycle: --[a-z-]+: \/no\/such\/file [^\n]+; give [^\n]+\n$/),
    ])
    expect([stderr.includes(option), stderr.includes('ENOENT')]).toEqual([true, false])
  })

  it('an option that does not exist, or a port that is none, is wrong usage', async () => {
    expect((await runCli(['start', '--nope'])).code).toBe(2)
    expect((await runCli(['start', '--port', '99999'])).code).toBe(2)
  })
})

describe('a start with agents', () => {
  const repository = aRepository({ 'agent.ts': "throw new Error('no model\\nhere')", 'a.js': 'eval(x)\n' })
  const { folder: home } = aFolder()
  afterAll(() => repository.remove())

  it('reviews when the reviewer is there, and says once which agent does not start', async () => {
    const data = join(home(), 'data')
    const args = ['start', '--port', '0', '--data', data, '--agent', repository.folder]
    const { child, ended, printed } = startCli(args, { cwd: repository.folder })
    onTestFinished(() => void child.kill('SIGKILL'))
    await eventually(() => expect(existsSync(join(data, 'first-review.md'))).toBe(true), 30_000)
    await printed('Serving until Ctrl-C')
    child.kill('SIGTERM')
    const { code, stdout, stderr } = await ended
    expect([code, stderr]).toEqual([0, `agent work does not start: no model here; see ${join(data, 'server.log')}\n`])
    expect(stdout).toMatch(/^ {2}agents starting: .*code-reviewer/m)
    expect(stdout).not.toContain('waiting:')
  }, 45_000)
})

it('keeps the key to its owner', () => {
  expect(statSync(join(folder.dataDir, 'credentials.json')).mode & 0o777).toBe(0o600)
})

describe('the root', () => {
  it('says how the server is, and what it can do, without a key', async () => {
    const host = { host: new URL(server.url).host }
    expect(JSON.parse((await ask('/healthz', host)).text)).toMatchObject({ status: 'ok' })
    expect(JSON.parse((await ask('/readyz', host)).text)).toMatchObject({ status: 'ready' })
    expect(JSON.parse((await ask('/openapi.json', host)).text).openapi).toMatch(/^3\.1/)
    expect((await ask('/metrics', host)).status).toBe(200)
    expect((await ask('/nothing', host)).status).toBe(404)
  })

  it('answers to its own names alone', async () => {
    for (const host of ['evil.example', 'localhost.evil.example', '169.254.169.254'])
      expect((await ask('/healthz', { host })).status, host).toBe(421)
    for (const host of ['localhost', '127.0.0.1:1', '[::1]:80'])
      expect((await ask('/healthz', { host })).status, host).toBe(200)
  })

  it('refuses what a page of another site sends', async () => {
    const { host } = new URL(server.url)
    for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1:1'])
      expect((await ask('/healthz', { host, origin })).status, origin).toBe(403)
    expect((await ask('/healthz', { host, origin: server.url })).status).toBe(200)
  })
})

describe('objects', () => {
  const put = (url: string, body: string) => fetch(url, { method: 'PUT', body })
  const declare = (body: object) => server.client.create<ObjectResponse>('/objects', body)

  it('come back as they were sent, by addresses that cannot be bent', async () => {
    const object = await declare({ contentType: 'text/plain' })
    const address = object.upload?.url ?? ''
    expect((await put(address.replace('expires=1', 'expires=2'), 'x')).status).toBe(403)
    expect((await fetch(address)).status).toBe(403)
    expect((await put(address, 'hello')).status).toBe(200)
    const stored = await server.client.get<ObjectResponse>(`/objects/${object.id}`)
    expect(stored).toMatchObject({ state: 'STORED', size: 5, contentType: 'text/plain' })
    const download = await fetch(stored.download?.url ?? '')
    expect([download.headers.get('content-type'), await download.text()]).toEqual(['text/plain', 'hello'])
  })

  it('are refused when their content is not what was declared', async () => {
    const object = await declare({ sha256: 'a'.repeat(64) })
    expect((await put(object.upload?.url ?? '', 'hello')).status).toBe(422)
    expect((await server.client.get<ObjectResponse>(`/objects/${object.id}`)).state).toBe('PENDING')
  })
})

it('answers ten megabytes with 413, and the connection goes on', async () => {
  const { host } = new URL(server.url)
  const headers = { host, authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' }
  const body = Buffer.from(JSON.stringify({ capability: 'a', input: 'x'.repeat(10_000_000) }))
  expect((await ask('/api/v2/tasks', { ...headers, 'content-length': String(body.length) }, body, 'POST')).status).toBe(
    413,
  )
  expect((await ask('/api/v2/tasks', headers)).status).toBe(200)
})
