import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

export type EmulatorName = 'dynamodb-local' | 'elasticmq' | 'localstack' | 'ministack' | 'ministack-enforced'

/** An AWS endpoint on this machine that is running. */
export type Emulator = {
  name: EmulatorName
  endpoint: string
  /** What AWS tools and SDKs need in their environment to use it. */
  environment: Record<string, string>
  /** What it has logged is here. */
  logFile: string
  stop(): Promise<void>
}

const scripts = fileURLToPath(new URL('emulators/', import.meta.url))
const workRoot = fileURLToPath(new URL('../../.emulators/', import.meta.url))
const nodeBin = dirname(process.execPath)

type Recipe = { folder: string; log: string; words: (work: string, port: number) => string[] }

const recipes: Record<EmulatorName, Recipe> = {
  'dynamodb-local': { folder: 'dynamodb-local', log: 'log', words: (work, port) => [work, `${port}`] },
  elasticmq: { folder: 'elasticmq', log: 'log', words: (work, port) => [work, `${port}`] },
  localstack: { folder: 'localstack', log: 'localstack.log', words: (work, port) => [work, nodeBin, `${port}`] },
  ministack: {
    folder: 'ministack',
    log: 'ministack.log',
    words: (work, port) => [work, nodeBin, 'stock', `${port}`],
  },
  'ministack-enforced': {
    folder: 'ministack',
    log: 'ministack.log',
    words: (work, port) => [work, nodeBin, 'enforced', `${port}`],
  },
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

const local = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1' }

/** The variables of an `env.sh`: lines of `export NAME=value NAME=value`. */
const readEnvironment = (file: string): Record<string, string> =>
  Object.fromEntries(
    [...readFileSync(file, 'utf8').matchAll(/\b([A-Z][A-Z0-9_]*)=(\S+)/g)].map(([, name, value]) => [name, value]),
  )

/** Resolves when the guard says that its emulator answers; it installs what is missing first, which takes minutes once. */
const started = (guard: ChildProcessByStdio<Writable, Readable, Readable>, name: string): Promise<void> =>
  new Promise((resolve, reject) => {
    let said = ''
    const listen = (chunk: Buffer): void => {
      said += chunk
      if (/^started$/m.test(said)) resolve()
    }
    guard.stdout.on('data', listen)
    guard.stderr.on('data', listen)
    guard.once('error', reject)
    guard.once('exit', (code) => reject(new Error(`${name} did not start (exit code ${code}):\n${said.slice(-4000)}`)))
  })

/** Starts an emulator on a free port. It ends with `stop`, or with this process. */
export const startEmulator = async (name: EmulatorName): Promise<Emulator> => {
  const { folder, log, words } = recipes[name]
  const port = await freePort()
  const work = `${workRoot}${folder}`
  const command = [`${scripts}guard.sh`, work, `${scripts}${folder}/up.sh`, ...words(work, port)]
  const guard = spawn('bash', command, { detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
  const ended = new Promise<void>((resolve) => guard.once('exit', () => resolve()))
  await started(guard, name)
  const plain = { ...local, AWS_ENDPOINT_URL: `http://127.0.0.1:${port}` }
  const environment =
    folder.startsWith('ministack') || folder === 'localstack' ? readEnvironment(`${work}/env.sh`) : plain
  return {
    name,
    endpoint: environment.AWS_ENDPOINT_URL ?? plain.AWS_ENDPOINT_URL,
    environment,
    logFile: `${work}/${log}`,
    async stop() {
      guard.stdin.end()
      await ended
    },
  }
}
