import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type RunOptions, runCommand } from '#agent/agents/test-runner/process/run-command.ts'

const linux = process.platform === 'linux'
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'run-command-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const run = async (script: string, options: Partial<RunOptions> = {}) => {
  const lines: string[] = []
  const ending = await runCommand({
    command: [process.execPath, '-e', script],
    cwd: folder,
    env: { PATH: process.env.PATH ?? '' },
    signal: new AbortController().signal,
    timeoutMs: 15_000,
    memoryBytes: 2 * 1024 ** 3,
    onLine: (stream, line) => lines.push(`${stream}: ${line}`),
    ...options,
  })
  return { ending, lines }
}

/** What is dead and only waits to be collected by its parent is not alive. */
const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return !linux || !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
const isGoneSoon = async (pid: number) => {
  for (let round = 0; round < 100 && isAlive(pid); round++) await sleep(20)
  return !isAlive(pid)
}
/** What a shell does: it begins within milliseconds, also on a busy machine. */
const shell = (script: string) => ['bash', '-c', script]
/** Starts a sleeping grandchild, writes its pid to `name`, and goes on. */
const grandchild = (name: string, detached: boolean) => `
  const child = require('child_process').spawn('sleep', ['60'], { detached: ${detached}, stdio: 'inherit' })
  child.unref()
  require('fs').writeFileSync(${JSON.stringify(name)}, String(child.pid));`
const pidIn = async (name: string) => Number(await readFile(path.join(folder, name), 'utf8'))
const appears = async (name: string) => {
  for (let round = 0; round < 250; round++) {
    const pid = await pidIn(name).catch(() => 0)
    if (pid > 0) return pid
    await sleep(20)
  }
  throw new Error(`${name} was not written`)
}

describe('a command that ends', () => {
  it('gives its exit code and its lines, by stream and in order', async () => {
    const { ending, lines } = await run("console.log('one\\ntwo'); console.error('three'); process.exitCode = 3")
    expect(ending).toEqual({ kind: 'exit', code: 3, killedBy: null })
    expect(lines.filter((line) => line.startsWith('stdout'))).toEqual(['stdout: one', 'stdout: two'])
    expect(lines).toContain('stderr: three')
  })

  it('gives the signal that ended it', async () => {
    const { ending } = await run("process.kill(process.pid, 'SIGSEGV')")
    expect(ending).toEqual({ kind: 'exit', code: null, killedBy: 'SIGSEGV' })
  })

  it('gives a last line that has no end', async () => {
    expect((await run("process.stdout.write('rest')")).lines).toEqual(['stdout: rest'])
  })

  it('leaves nothing of its process group behind', async () => {
    const { ending } = await run(grandchild('pid', false))
    expect(ending).toMatchObject({ kind: 'exit', code: 0 })
    expect(await isGoneSoon(await pidIn('pid'))).toBe(true)
  })

  it.runIf(linux)('leaves nothing behind that made a session of its own', async () => {
    await run(grandchild('pid', true))
    expect(await isGoneSoon(await pidIn('pid'))).toBe(true)
  })

  it('is a result when the program does not exist', async () => {
    const { ending } = await run('', { command: ['no-such-program-here'] })
    expect(ending).toMatchObject({ kind: 'not-started', message: expect.stringContaining('no-such-program-here') })
  })
})

describe('a command that does not end', () => {
  it('is killed at the time-out, with its grandchildren', async () => {
    const started = Date.now()
    const command = shell('sleep 60 & echo $! > pid; wait')
    const { ending } = await run('', { command, timeoutMs: 700, graceMs: 300 })
    expect(ending).toEqual({ kind: 'timeout' })
    expect(Date.now() - started).toBeLessThan(15_000)
    expect(await isGoneSoon(await pidIn('pid'))).toBe(true)
  })

  it('is killed though it ignores to be asked', async () => {
    const command = shell("trap 'echo no' TERM; echo $$; while :; do sleep 0.02; done")
    const { ending, lines } = await run('', { command, timeoutMs: 700, graceMs: 500 })
    expect(ending).toEqual({ kind: 'timeout' })
    expect(lines).toContain('stdout: no')
    expect(await isGoneSoon(Number(lines[0]?.slice('stdout: '.length)))).toBe(true)
  })

  it('is killed when the task is aborted, and rejects with the reason', async () => {
    const controller = new AbortController()
    const running = run(`${grandchild('pid', true)} setInterval(() => {}, 1000)`, { signal: controller.signal })
    const pid = await appears('pid')
    controller.abort(new Error('cancelled'))
    await expect(running).rejects.toThrow('cancelled')
    expect(await isGoneSoon(pid)).toBe(true)
  })

  it('does not start when the task is aborted already', async () => {
    await expect(run('', { signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow('too late')
  })

  it('is killed when it and its children together need too much memory', async () => {
    const eat = `const eaten = Buffer.alloc(150e6, 1); setInterval(() => eaten.length, 1000)`
    const both = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(eat)}]); ${eat}`
    expect((await run(both, { memoryBytes: 280 * 1024 ** 2 })).ending).toEqual({ kind: 'memory' })
  })

  it('is killed when the process that watches it is killed', async () => {
    const hang = `${grandchild('pid', linux)} setInterval(() => {}, 1000)`
    const script = `
      import { runCommand } from '#agent/agents/test-runner/process/run-command.ts'
      await runCommand({ command: [process.execPath, '-e', ${JSON.stringify(hang)}], cwd: ${JSON.stringify(folder)}, env: {},
        signal: new AbortController().signal, timeoutMs: 60000, memoryBytes: 2e9, onLine: () => {} })`
    const watcher = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' })
    const pid = await appears('pid')
    watcher.kill('SIGKILL')
    await once(watcher, 'exit')
    expect(await isGoneSoon(pid)).toBe(true)
  })
})

describe('what a command sees', () => {
  it('is the given environment and nothing else', async () => {
    process.env.PLANTED_SECRET = 'hunter2'
    const { lines } = await run('console.log(Object.keys(process.env).sort().join())', { env: { ONLY: 'this' } })
    delete process.env.PLANTED_SECRET
    expect(lines).toEqual(['stdout: DEVCYCLE_TEST_RUN,ONLY'])
  })

  it('is an empty input', async () => {
    const { lines } = await run("process.stdin.on('data', () => {}).on('end', () => console.log('nothing'))")
    expect(lines).toEqual(['stdout: nothing'])
  })
})
