import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aGuideServer } from '#test/support/guide-server.ts'
import { blockOf } from '#test/support/markdown.ts'
import { aDataFolder, until } from '#test/support/server-process.ts'

describe('the guide to sockets', () => {
  let guides: Awaited<ReturnType<typeof aGuideServer>>
  beforeAll(async () => {
    guides = await aGuideServer([])
    mkdirSync(guides.home, { recursive: true })
    writeFileSync(join(guides.home, 'dashboard.mjs'), blockOf('guides/realtime.md', 'dashboard.mjs'))
  }, 30_000)
  afterAll(() => guides?.close())

  it('shows a page what happens to a task', async () => {
    const lines = await guides.run('realtime', 'dashboard')
    expect(lines).toContain('watching tasks')
    expect(lines.filter((line) => /^tsk_\w+ [A-Z]+$/.test(line)).length).toBeGreaterThan(2)
    expect(lines.filter((line) => /^tsk_\w+ CANCELLED$/.test(line))).toHaveLength(2) // the page's and the command's
  }, 60_000)
})

describe('devcycle watch', () => {
  const cli = fileURLToPath(new URL('../../cli/devcycle.ts', import.meta.url))
  const folder = aDataFolder()
  afterAll(() => folder.close())

  it('goes on where it was after the server was killed, and says what it missed', async () => {
    const first = await folder.start()
    const { id } = await first.client.create<{ id: string }>('/tasks', { capability: 'nobody.offers', input: {} })
    const port = new URL(first.url).port
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
