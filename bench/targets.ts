import { fork, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export type Product = { url: string; apiKey: string; pid: number; readyMs: number; dataDir: string; stop: () => void }

const readJson = <T>(file: string): T | undefined => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T
  } catch {
    return undefined
  }
}

/** `BENCH_PROFILES=DIR` keeps there a CPU profile of each thread of the product. */
const { BENCH_PROFILES: profiles } = process.env
const profiling = profiles ? ['--cpu-prof', `--cpu-prof-dir=${profiles}`, '--cpu-prof-interval', '500'] : []

/** The embedded server as a process of its own, on an empty data folder unless it is told of one. */
export const startProduct = async (args: string[], folder?: string): Promise<Product> => {
  const dataDir = folder ?? join(mkdtempSync(join(tmpdir(), 'devcycle-bench-')), 'data')
  const began = performance.now()
  const child = spawn(
    process.execPath,
    [...profiling, here('../cli/devcycle.ts'), 'start', '--port', '0', '--data', dataDir, '--no-tour', ...args],
    { stdio: 'ignore' },
  )
  for (;;) {
    const server = readJson<{ url: string }>(join(dataDir, 'server.json'))
    if (server) {
      const { apiKey } = readJson<{ apiKey: string }>(join(dataDir, 'credentials.json')) ?? { apiKey: '' }
      return {
        ...server,
        apiKey,
        pid: child.pid ?? 0,
        readyMs: performance.now() - began,
        dataDir,
        stop: () => void child.kill('SIGTERM'),
      }
    }
    if (child.exitCode !== null) throw new Error('the server did not start')
    await sleep(5)
  }
}

/** The floor as a process of its own. */
export const startFloor = async (): Promise<{ url: string; pid: number; stop: () => void }> => {
  const child = fork(here('./floor-server.ts'), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const { url } = await new Promise<{ url: string }>((resolve) =>
    child.once('message', (message) => resolve(message as { url: string })),
  )
  return { url, pid: child.pid ?? 0, stop: () => void child.kill('SIGKILL') }
}

/** Resident megabytes of a process. */
export const residentMb = (pid: number): number => {
  const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kb) / 1024
}
