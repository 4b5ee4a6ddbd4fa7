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
const home = mkdtempSync(join(tmpdir(), 'devcycle-guides-'))
const folder = aDataFolder()
let server: ServerProcess

const agentOf = (guide: string): string[] => {
  const path = join(home, guide)
  mkdirSync(path)
  writeFileSync(join(path, 'agent.ts'), blockOf(`guides/${guide}.md`, 'agent.ts'))
  return ['--agent', path]
}

beforeAll(async () => {
  server = await folder.start([...agentOf('approvals'), ...agentOf('streaming')])
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
const lastJson = (text: string): unknown => JSON.parse(text.slice(text.lastIndexOf('\n{') + 1))

describe('the guides to people and streams', () => {
  it('approvals.md: a task asks twice, is answered by two commands, and ends', async () => {
    const printed = await run('approvals', 'people')
    expect(printed).toContain('which branch?')
    expect(printed).toMatch(/approvers +ann, release-team/)
    expect(printed).toMatch(/apr_\w+ APPROVED/)
    expect(lastJson(printed)).toEqual({ branch: 'main', released: true })
  }, 60_000)

  it('streaming.md: a task sums up what it is given while it runs, and tells each sum', async () => {
    const printed = await run('streaming', 'stream')
    expect(printed).toContain('5 records, ended')
    expect(printed).toContain('{"seq":5,"sum":15}')
    expect(lastJson(printed)).toEqual({ sum: 15 })
  }, 60_000)
})
