import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Client, createClient } from '#cli/client/client.ts'

export { runCli } from './cli-process.ts'

const cli = fileURLToPath(new URL('../../cli/devcycle.ts', import.meta.url))

/** Waits until something is so; the answer of `check` is the proof. */
export const until = async <T>(
  check: () => T | Promise<T>,
  { seconds = 30, what = 'it' } = {},
): Promise<NonNullable<T>> => {
  const end = Date.now() + seconds * 1000
  for (;;) {
    const found = await check()
    if (found) return found
    if (Date.now() > end) throw new Error(`${what} did not come to pass within ${seconds} s`)
    await sleep(20)
  }
}

export type ServerProcess = {
  child: ChildProcess
  client: Client
  url: string
  apiKey: string
  output: () => string
  /** Resolves with the exit code, or the signal that ended it. */
  ended: Promise<number | string>
}

const readJson = <T>(file: string): T | undefined => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T
  } catch {
    return undefined
  }
}

/** A data folder that goes away, and servers started on it as processes of their own. */
export const aDataFolder = () => {
  const home = mkdtempSync(join(tmpdir(), 'devcycle-e2e-'))
  const dataDir = join(home, 'data')
  const children = new Set<ChildProcess>()
  return {
    dataDir,
    async start(args: string[] = []): Promise<ServerProcess> {
      rmSync(join(dataDir, 'server.json'), { force: true })
      const child = spawn(process.execPath, [cli, 'start', '--port', '0', '--data', dataDir, '--no-tour', ...args], {
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      children.add(child)
      let output = ''
      child.stdout.setEncoding('utf8').on('data', (part: string) => (output += part))
      child.stderr.setEncoding('utf8').on('data', (part: string) => (output += part))
      const ended = new Promise<number | string>((resolve) =>
        child.once('exit', (code, signal) => resolve(code ?? signal ?? '')),
      )
      const server = await until(
        () => (child.exitCode === null ? readJson<{ url: string }>(join(dataDir, 'server.json')) : failed(output)),
        { seconds: 30, what: 'the server' },
      )
      const { apiKey } = readJson<{ apiKey: string }>(join(dataDir, 'credentials.json')) ?? { apiKey: '' }
      return {
        child,
        client: createClient({ url: server.url, apiKey }),
        url: server.url,
        apiKey,
        output: () => output,
        ended,
      }
    },
    exists: (name: string) => existsSync(join(dataDir, name)),
    async close() {
      for (const child of children) child.kill('SIGKILL')
      await sleep(50)
      rmSync(home, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

const failed = (output: string): never => {
  throw new Error(`the server did not start: ${output}`)
}
