import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blockOf } from '#test/support/markdown.ts'
import { aDataFolder, type ServerProcess } from '#test/support/server-process.ts'

const cli = fileURLToPath(new URL('../../cli/devcycle.ts', import.meta.url))
const sleeper = fileURLToPath(new URL('../fixtures/agents/sleeper', import.meta.url))
const home = mkdtempSync(join(tmpdir(), 'devcycle-control-'))
const folder = aDataFolder()
let server: ServerProcess

beforeAll(async () => {
  const careful = join(home, 'careful')
  mkdirSync(careful)
  writeFileSync(join(careful, 'agent.ts'), blockOf('guides/resources.md', 'agent.ts'))
  server = await folder.start(['--agent', sleeper, '--agent', careful])
}, 30_000)
afterAll(async () => {
  await folder.close()
  rmSync(home, { recursive: true, force: true })
})

/** What a block of a guide prints. */
const run = async (guide: string, name: string): Promise<string> => {
  const npx = `npx() { shift; "${process.execPath}" "${cli}" "$@"; }`
  const script = `set -euo pipefail\n${npx}\n${blockOf(`guides/${guide}.md`, name)}`
  const env = { ...process.env, DEVCYCLE_URL: server.url, DEVCYCLE_API_KEY: server.apiKey }
  return (await promisify(execFile)('bash', ['-c', script], { cwd: home, env, timeout: 60_000 })).stdout
}

describe('the guides to control and resources', () => {
  it('control.md: a running task is cancelled, explained, and done again', async () => {
    const printed = await run('control', 'one')
    expect(printed).toMatch(/CANCELLED: it was cancelled by key:/)
    expect(printed.match(/tsk_\w+ CANCELLED/g)).toHaveLength(2)
  }, 60_000)

  it('control.md: many are cancelled at once', async () => {
    const printed = await run('control', 'many')
    expect(printed).toContain('3 tasks would be cancelled')
    expect(printed).toContain('3 tasks cancelled')
  }, 60_000)

  it('control.md: an agent that is paused starts nothing until it is resumed', async () => {
    const printed = await run('control', 'agent')
    expect(printed).toContain('sleeper MAINTENANCE (PAUSED)')
    expect(printed).toContain('PAUSED: agent sleeper is paused')
    expect(printed).toMatch(/sleeper (ONLINE|BUSY|IDLE) /)
    expect(printed).toContain('SUCCEEDED')
  }, 60_000)

  it('resources.md: a task that takes too much is ended, and its neighbour is not', async () => {
    const printed = await run('resources', 'hog')
    expect(printed).toContain('done')
    expect(printed).toMatch(/RESOURCE_LIMIT: the task used \d+ MB of memory, more than the 256 MB/)
  }, 60_000)
})
