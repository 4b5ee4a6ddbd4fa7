import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '#test/support/free-port.ts'
import { aGuideServer } from '#test/support/guide-server.ts'
import { blockOf } from '#test/support/markdown.ts'
import { aDataFolder, until } from '#test/support/server-process.ts'

describe('the guide to sockets', () => {
  let guides: Awaited<ReturnType<typeof aGuideServer>>
  beforeAll(async () => {
    guides = await aGuideServer([])
    mkdirSync(guides.home, { recursive: true })
    writeFileSync(join(guides.home, 'dashboard.mjs'), blockOf('guides/realtime.md', 'dashboard.mjs'))
  })
  afterAll(() => guides?.close())

  it('shows a page what happens to a task', async () => {
    const lines = await guides.run('realtime', 'dashboard')
    expect(lines).toContain('watching tasks')
    expect(lines.filter((line) => /^tsk_\w+ [A-Z]+$/.test(line)).length).toBeGreaterThan(2)
    expect(lines.filter((line) => /^tsk_\w+ CANCELLED$/.test(line))).toHaveLength(2) // the page's and the command's
  })
})

describe('devcycle watch', () => {
  const cli = fileURLToPath(new URL('../../cli/devcycle.ts', import.meta.url))
  const folder = aDataFolder()
  afterAll(() => folder.close())

  it('goes on where it was after the server was killed, and says what it missed', async () => {
    const port = String(await freePort())
    const first = await folder.start(['--port', port])
    const { id } = await first.client.create<{ id: string }>('/tasks', { capability: 'nobody.offers', input: {} })
    const watch = spawn(process.execPath, [
      cli,
      'watch',
      'tasks',
      id,
      '--data',
      folder.dataDir,
      '--url',
      first.url,
      '--api-key',
      first.apiKey,
    ])
    let output = ''
    for (const stream of [watch.stdout, watch.stderr])
      stream.setEncoding('utf8').on('data', (part: string) => (output += part))
    const ended = new Promise((resolve) => watch.once('exit', (code) => resolve(code)))
    await until(() => output.includes(`watching ${id}`), { what: 'the watch' })
    first.child.kill('SIGKILL')
    await first.ended
    await until(() => output.includes('trying again'), { what: 'the loss' })
    const second = await folder.start(['--port', port])
    await second.client.request('POST', `/tasks/${id}/cancel`, { body: {} })
    await until(() => new RegExp(`Z  ${id}  CANCELLED  nobody.offers`).test(output), { seconds: 40, what: output })
    watch.kill('SIGINT')
    expect(await ended).toBe(130)
  }, 90_000)
})

describe('devcycle messages tail', () => {
  const cli = fileURLToPath(new URL('../../cli/devcycle.ts', import.meta.url))
  const folder = aDataFolder()
  afterAll(() => folder.close())

  it('prints what is sent, of the type that is asked for, also what was sent while the server was away', async () => {
    const port = String(await freePort())
    const first = await folder.start(['--port', port])
    const send = (client: typeof first.client, type: string) =>
      client.create<{ id: string }>('/messages', { to: { topic: 'builds' }, type, data: 1 })
    await send(first.client, 'build.old')
    const options = ['--data', folder.dataDir, '--url', first.url, '--api-key', first.apiKey]
    const tail = spawn(process.execPath, [cli, 'messages', 'tail', '--type', 'build.finished', ...options])
    let output = ''
    for (const stream of [tail.stdout, tail.stderr])
      stream.setEncoding('utf8').on('data', (part: string) => (output += part))
    const ended = new Promise((resolve) => tail.once('exit', resolve))
    await until(() => output.includes('watching messages'), { what: 'the tail' })
    await send(first.client, 'build.started')
    const { id: one } = await send(first.client, 'build.finished')
    await until(() => output.includes(one), { what: 'the message' })
    first.child.kill('SIGKILL')
    await first.ended
    const second = await folder.start(['--port', port])
    const { id: other } = await send(second.client, 'build.finished')
    await until(() => output.includes(other), { seconds: 40, what: 'the message after the outage' })
    expect(output.match(/build\.\w+/g)?.length).toBe(2)
    tail.kill('SIGINT')
    await ended
  }, 90_000)
})
