import { execFile, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProgram } from '#cli/program.ts'
import type { TaskResponse } from '#shared/contracts/tasks.ts'
import { allPages, blockOf, brokenLinks, commandsOf, markedBlocks } from '#test/support/markdown.ts'
import { requires } from '#test/support/requires.ts'
import { aDataFolder, type ServerProcess, until } from '#test/support/server-process.ts'

const cli = fileURLToPath(new URL('../../cli/devcycle.ts', import.meta.url))
const home = mkdtempSync(join(tmpdir(), 'devcycle-docs-'))
const folder = aDataFolder()
let server: ServerProcess

const gitRepository = (): string => {
  const path = join(home, 'repository')
  mkdirSync(path)
  writeFileSync(join(path, 'sum.js'), 'export const sum = (a, b) => a + b\n')
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', path, '-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args])
  git('init', '--quiet')
  git('add', '.')
  git('commit', '--quiet', '-m', 'feat: add numbers')
  return path
}

beforeAll(async () => {
  const agent = join(home, 'my-agent')
  mkdirSync(agent)
  writeFileSync(join(agent, 'agent.ts'), blockOf('write-an-agent.md', 'agent.ts'))
  server = await folder.start(['--agent', agent])
})
afterAll(async () => {
  await folder.close()
  rmSync(home, { recursive: true, force: true })
})

const finished = (id: string): Promise<TaskResponse> =>
  until(
    async () => {
      const task = await server.client.get<TaskResponse>(`/tasks/${id}`)
      return ['SUCCEEDED', 'FAILED'].includes(task.status) ? task : undefined
    },
    { seconds: 20, what: `the end of ${id}` },
  )

const submit = async (capability: string, input: unknown): Promise<TaskResponse> =>
  finished((await server.client.create<TaskResponse>('/tasks', { capability, input })).id)

describe('the agents of docs/write-an-agent.md', () => {
  it('the TypeScript agent works, and refuses what does not fit its schema', async () => {
    expect(await submit('words.count', { text: 'one two three' })).toMatchObject({
      status: 'SUCCEEDED',
      result: { words: 3 },
    })
    expect(await submit('words.count', { text: ' ' })).toMatchObject({
      status: 'FAILED',
      attempt: 1,
      failure: { retryable: false },
    })
    await expect(submit('words.count', { words: 3 })).rejects.toThrow('input schema of words.count')
  })

  it.skipIf(!requires('python3'))(
    'the Python agent works over the bare protocol',
    async () => {
      const file = join(home, 'worker.py')
      writeFileSync(file, blockOf('write-an-agent.md', 'worker.py'))
      const worker = spawn('python3', [file], {
        env: { ...process.env, DEVCYCLE_URL: server.url, DEVCYCLE_API_KEY: server.apiKey },
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      try {
        for (const text of ['one', 'two', 'three'])
          expect(await submit('text.upper', { text })).toMatchObject({
            status: 'SUCCEEDED',
            agent: 'py-upper',
            result: { text: text.toUpperCase() },
          })
      } finally {
        worker.kill('SIGKILL')
      }
    },
    40_000,
  )
})

describe('the commands of the docs', () => {
  const pages = ['quickstart.md', 'http-api.md']
  const blocks = pages.flatMap((page) =>
    markedBlocks(page)
      .filter(({ kind }) => kind === 'run')
      .map(({ text }) => ({ page, text })),
  )

  it('are there', () => expect(blocks.map(({ page }) => page)).toEqual(pages))

  it.each(blocks)(
    '$page: every command exits 0',
    async ({ text }) => {
      const cwd = join(home, `run-${Math.random().toString(36).slice(2)}`)
      mkdirSync(cwd)
      const repository = gitRepositoryOnce()
      const script = `set -euo pipefail\nnpx() { shift; "${process.execPath}" "${cli}" "$@"; }\n${text}`
      const env = {
        ...process.env,
        DEVCYCLE_DATA: folder.dataDir,
        DEVCYCLE_URL: server.url,
        DEVCYCLE_API_KEY: server.apiKey,
      }
      const { stdout } = await promisify(execFile)('bash', ['-c', script], { cwd: repository, env, timeout: 90_000 })
      expect(stdout).not.toBe('')
    },
    100_000,
  )
})

let repository: string | undefined
const gitRepositoryOnce = (): string => (repository ??= gitRepository())

describe('every page', () => {
  it.each(allPages())('%s: each link to a file or a heading of this repository leads there', (page) =>
    expect(brokenLinks(page)).toEqual([]),
  )

  it.each(allPages().filter((page) => commandsOf(page).length > 0))(
    '%s: the command line knows each command',
    (page) => {
      for (const args of commandsOf(page)) expect(() => parse(args), args.join(' ')).not.toThrow()
    },
  )

  it.each([
    ['tasks', 'look'],
    ['tasks', 'get'],
    ['agents', 'list', '--colour'],
  ])('a page with %s %s would fail', (...args) => expect(() => parse(args)).toThrow())
})

/** Parses a command line as the program does, and does nothing. */
const parse = (args: string[]): void => {
  const program = createProgram()
  idle(program)
  program.parse(args, { from: 'user' })
}

const idle = (command: Command): void => {
  command.configureOutput({ writeErr: () => undefined, outputError: () => undefined })
  if (command.commands.length === 0) command.action(() => undefined)
  command.commands.forEach(idle)
}
