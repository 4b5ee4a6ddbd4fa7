import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, test } from 'vitest'
import { testsInput } from '#agent/agents/test-runner/contract.ts'
import { hostHas, runAgent } from './run-agent.ts'

const packageJson = (rest: object) => JSON.stringify({ name: 'sample', version: '1.0.0', ...rest })
const passing = "require('node:test')('adds', () => {})\n"
const failing = `const test = require('node:test')
const assert = require('node:assert')
test('adds', () => assert.equal(1 + 1, 2))
test('adds wrongly', () => {
  assert.equal(1 + 1, 3)
})
test.skip('later', () => {})
`
const nodeProject = (testFile: string) => ({
  'package.json': packageJson({ scripts: { test: 'node --test' } }),
  'test/sum.test.js': testFile,
})

describe('a project of node:test', () => {
  it.concurrent('that passes', async () => {
    const { result, ctx, logs } = await runAgent(nodeProject(passing))
    expect(result).toMatchObject({ status: 'passed', passed: 1, failed: 0, failures: [], command: ['npm', 'test'] })
    expect(result.durationMs).toBeGreaterThan(0)
    expect(result.commit).toMatch(/^[0-9a-f]{40}$/)
    expect(logs).toContain('adds')
    expect(ctx.told.progress.at(-1)).toEqual({ percent: 100, message: 'passed' })
  })

  it.concurrent('that fails names the test, the reason, the file and the line', async () => {
    const { result } = await runAgent(nodeProject(failing))
    expect(result).toMatchObject({ status: 'failed', passed: 1, failed: 1, skipped: 1 })
    expect(result.failures).toEqual([
      { name: 'adds wrongly', message: expect.stringContaining('2 == 3'), file: 'test/sum.test.js', line: 5 },
    ])
    expect(result.output).toContain('adds wrongly')
  })

  it.concurrent('that runs longer than its time is a result, with nothing left running', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'hanging-'))
    const pidFile = path.join(folder, 'pid')
    const hanging = `require('node:test')('hangs', () => new Promise(() => {
      const child = require('child_process').spawn('sleep', ['60'], { detached: true })
      require('fs').writeFileSync(${JSON.stringify(pidFile)}, String(child.pid))
      setInterval(() => {}, 1000)
    }))`
    const { result } = await runAgent(nodeProject(hanging), { input: { timeoutSeconds: 4, command: 'node --test' } })
    expect(result).toMatchObject({ status: 'timeout', reason: 'the tests took more than 4 s' })
    const pid = Number(await readFile(pidFile, 'utf8'))
    await rm(folder, { recursive: true })
    if (process.platform === 'linux') expect(await isGone(pid)).toBe(true)
  })

  it.concurrent('keeps within the time of the task itself', async () => {
    const hanging = "require('node:test')('hangs', () => new Promise(() => setInterval(() => {}, 1000)))"
    const { result } = await runAgent(nodeProject(hanging), { task: { timeoutSeconds: 7 } })
    expect(result).toMatchObject({ status: 'timeout', reason: 'the tests took more than 2 s' })
  })

  it.concurrent('ends at once when the task is aborted', async () => {
    const hanging = "require('node:test')('hangs', () => new Promise(() => setInterval(() => {}, 1000)))"
    const running = runAgent(nodeProject(hanging), {
      onStart: (ctx) => void whenRunning(ctx).then(() => ctx.abort(new Error('cancelled'))),
    })
    await expect(running).rejects.toThrow('cancelled')
  })

  it('that prints 50 MB is streamed and kept in part only', async () => {
    const loud = `require('node:test')('is loud', async () => {
      for (let at = 0; at < 50_000; at++) await new Promise((done) => process.stdout.write('x'.repeat(999) + '\\n', done))
    })`
    const before = process.memoryUsage().rss
    const { result, logs } = await runAgent(nodeProject(loud))
    expect(result).toMatchObject({ status: 'passed', passed: 1 })
    expect(logs.length).toBeLessThan(1_100_000)
    expect(result.output.length).toBeLessThanOrEqual(8000)
    expect(process.memoryUsage().rss - before).toBeLessThan(400e6)
  })

  it('sees no variable that was not meant for it, and a home of its own', async () => {
    process.env.PLANTED_SECRET = 'hunter2'
    process.env.AWS_SECRET_ACCESS_KEY = 'hunter2'
    const { result, logs } = await runAgent(
      nodeProject("require('node:test')('looks', () => console.log(JSON.stringify(process.env)))"),
    )
    delete process.env.PLANTED_SECRET
    delete process.env.AWS_SECRET_ACCESS_KEY
    expect(result.status).toBe('passed')
    expect(logs).not.toContain('hunter2')
    expect(logs).toContain('"CI":"1"')
    expect(logs).toMatch(/"HOME":"[^"]*\/workspace\/test-run\/home"/)
  })
})

const whenRunning = async ({ told }: { told: { progress: { percent: number }[] } }) => {
  while (!told.progress.some(({ percent }) => percent >= 30)) await sleep(20)
  await sleep(300)
}
const isGone = async (pid: number) => {
  for (let round = 0; round < 100; round++) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => 'State:\tZ')
    if (/^State:\s+Z/m.test(status)) return true
    await sleep(20)
  }
  return false
}

describe('a project whose dependencies are absent', () => {
  it.concurrent('is told from one whose tests fail', async () => {
    const { result } = await runAgent({
      'package.json': packageJson({ scripts: { test: 'vitest run' }, devDependencies: { vitest: '5.1.1' } }),
      'package-lock.json': '{}',
    })
    expect(result).toMatchObject({ status: 'error', failures: [], passed: 0 })
    expect(result.reason).toBe('vitest is not in node_modules: dependencies are not installed; pass install: true')
  })

  it.concurrent('is recognised by what its script complains about', async () => {
    const { result } = await runAgent({
      'package.json': packageJson({ scripts: { test: 'xo && node --test' }, devDependencies: { xo: '1' } }),
    })
    expect(result.reason).toBe('not found: xo: dependencies are not installed; pass install: true')
  })

  it.runIf(hostHas('npm', '--version')).concurrent('is installed when that is asked for', async () => {
    const { result } = await runAgent(
      {
        'package.json': packageJson({ scripts: { test: 'node --test' }, dependencies: { inner: 'file:inner' } }),
        'inner/package.json': JSON.stringify({ name: 'inner', version: '1.0.0', main: 'index.js' }),
        'inner/index.js': 'module.exports = 42\n',
        'sum.test.js':
          "require('node:test')('uses it', () => { if (require('inner') !== 42) throw new Error('no') })\n",
      },
      { input: { install: true } },
    )
    expect(result).toMatchObject({ status: 'passed', passed: 1 })
  })

  it.concurrent('says what an installation that fails printed', async () => {
    const { result } = await runAgent(
      {
        'package.json': packageJson({ scripts: { test: 'node --test' }, dependencies: { inner: 'file:nowhere.tgz' } }),
      },
      { input: { install: true } },
    )
    expect(result).toMatchObject({ status: 'error', command: ['npm', 'test'] })
    expect(result.reason).toMatch(/^the installation did not succeed: npm install --no-package-lock \(exit code \d+\)$/)
    expect(result.output).toContain('nowhere.tgz')
  })
})

describe('a project that cannot be tested', () => {
  it.concurrent.each([
    ['nothing but prose', { 'README.md': 'hello' }],
    [
      'the script that npm init writes',
      { 'package.json': packageJson({ scripts: { test: 'echo "Error: no test specified" && exit 1' } }) },
    ],
    ['no script', { 'package.json': packageJson({}) }],
  ])('because it has %s', async (_what, files) => {
    const { result } = await runAgent(files)
    expect(result).toMatchObject({ status: 'no-tests', command: null })
    expect(result.reason).toContain('no test command was found')
  })

  it.concurrent('because its command finds no tests', async () => {
    const { result } = await runAgent({ 'package.json': packageJson({ scripts: { test: 'node --test' } }), 'a.js': '' })
    expect(result).toMatchObject({ status: 'no-tests', command: ['npm', 'test'] })
  })

  it.concurrent('because the program is not on this host', async () => {
    const { result } = await runAgent({ 'README.md': '' }, { input: { command: 'no-such-tool --all' } })
    expect(result).toMatchObject({
      status: 'toolchain-missing',
      reason: 'no-such-tool is not installed on this host',
      command: ['no-such-tool', '--all'],
    })
  })

  it.concurrent('because its package.json is broken', async () => {
    const { result } = await runAgent({ 'package.json': '{' })
    expect(result).toMatchObject({ status: 'error', reason: expect.stringContaining('not valid JSON') })
  })
})

describe('a command of the task', () => {
  it.concurrent('is run without a shell, and judged by its exit code when nothing else is known', async () => {
    const { result } = await runAgent({ 'a.txt': '' }, { input: { command: "sh -c 'echo why; exit 3'" } })
    expect(result).toMatchObject({ status: 'failed', failed: 1, passed: 0 })
    expect(result.reason).toBe('exit code 3, and no failed test was recognised')
    expect(result.failures).toEqual([{ name: 'sh -c echo why; exit 3', message: 'why' }])
  })

  it.concurrent('passes uncounted when it ends well in words of its own', async () => {
    const { result } = await runAgent({ 'a.txt': '' }, { input: { command: ['sh', '-c', 'echo fine'] } })
    expect(result).toMatchObject({ status: 'passed', passed: 0, reason: expect.stringContaining('not counted') })
  })

  it.concurrent('is taken at its word over a failed test that a script swallows', async () => {
    const { result } = await runAgent(nodeProject(failing), {
      input: { command: ['sh', '-c', 'node --test --test-reporter=tap test/*.js || true'] },
    })
    expect(result).toMatchObject({ status: 'failed', failed: 1, failures: [{ file: 'test/sum.test.js', line: 5 }] })
  })
})

test('a Maven project is not tried without an installation', async () => {
  const { result } = await runAgent({ 'pom.xml': '<project/>' })
  expect(['error', 'toolchain-missing']).toContain(result.status)
  expect(result.reason).toMatch(/pass install: true|is not installed on this host/)
})

test('the input is strict', () => {
  const repository = { url: 'https://example.com/a.git' }
  expect(testsInput.safeParse({ repository, env: {} }).success).toBe(false)
  expect(testsInput.safeParse({ repository, command: [] }).success).toBe(false)
  expect(testsInput.safeParse({ repository, timeoutSeconds: 0 }).success).toBe(false)
  expect(testsInput.parse({ repository }).install).toBe(false)
})
