import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'

const main = fileURLToPath(new URL('../../../agent-container/main.ts', import.meta.url))
const sleeper = fileURLToPath(new URL('../../fixtures/agents/sleeper', import.meta.url))

it('an instance that ends leaves no folder behind', async () => {
  const workspaces = mkdtempSync(join(tmpdir(), 'main-'))
  onTestFinished(() => rmSync(workspaces, { recursive: true, force: true }))
  const env = {
    PATH: process.env.PATH,
    DEVCYCLE_URL: 'http://127.0.0.1:9',
    DEVCYCLE_HTTP_PORT: '0',
    DEVCYCLE_ORPHAN_SECONDS: '0.3',
    DEVCYCLE_WORKSPACES: workspaces,
  }
  const child = spawn(process.execPath, [main, '--agent', sleeper], { env, stdio: 'ignore' })
  expect(await once(child, 'exit')).toEqual([1, null])
  expect(readdirSync(workspaces)).toEqual([])
})
