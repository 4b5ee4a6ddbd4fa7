import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLineSplitter } from './line-splitter.ts'
import type { OutputStream } from './log-stream.ts'
import { guardGroup } from './orphan-guard.ts'
import { pidsWithVariable, runningProcesses, treeOf } from './process-tree.ts'

export type RunOptions = {
  command: string[]
  cwd: string
  /** The whole environment: nothing of this process is added but a mark to find strays by. */
  env: Record<string, string>
  /** Ends everything at once and rejects with its reason. */
  signal: AbortSignal
  timeoutMs: number
  /** Resident, of all its processes together. */
  memoryBytes: number
  onLine: (stream: OutputStream, line: string) => void
  /** How long a process may take to end itself after a time-out. @default 2000 */
  graceMs?: number
}

export type Ending =
  | { kind: 'exit'; code: number | null; killedBy: NodeJS.Signals | null }
  | { kind: 'timeout' }
  | { kind: 'memory' }
  /** The program is not there, or may not be executed. */
  | { kind: 'not-started'; message: string }

const mark = 'DEVCYCLE_TEST_RUN'
const memoryLookMs = 500
/** A pipe that a stray keeps open is given up after this time. */
const closeMs = 1000

/** Runs a command in a process group of its own. Whatever it started is gone when this resolves or rejects. */
export const runCommand = async (options: RunOptions): Promise<Ending> => {
  options.signal.throwIfAborted()
  const run = randomUUID()
  const [program = '', ...args] = options.command
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...options.env, [mark]: run },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const closed = pipeLines(child, options.onLine)
  if (child.pid === undefined) return { kind: 'not-started', message: await failureOf(child) }
  const guard = guardGroup(child.pid, `${mark}=${run}`)
  try {
    return await ending(child, child.pid, options)
  } finally {
    await killEverything(child.pid, run)
    await Promise.race([closed, sleep(closeMs, undefined, { ref: false })])
    child.stdout?.destroy()
    child.stderr?.destroy()
    guard.release()
  }
}

const failureOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => child.once('error', (error) => resolve(error.message)))

const pipeLines = (child: ChildProcess, onLine: RunOptions['onLine']): Promise<void> => {
  const streams = [
    ['stdout', child.stdout],
    ['stderr', child.stderr],
  ] as const
  const ends = streams.map(([name, readable]) => {
    const lines = createLineSplitter((line) => onLine(name, line))
    readable?.setEncoding('utf8').on('data', lines.push)
    return new Promise<void>((resolve) => readable?.once('close', () => resolve(lines.end())))
  })
  return Promise.all(ends).then(() => {})
}

/** Whichever comes first: the command's own end, its time, its memory, or the task's abort. */
const ending = async (child: ChildProcess, pid: number, options: RunOptions): Promise<Ending> => {
  const over = new AbortController()
  const exited = new Promise<Ending>((resolve) =>
    child.once('exit', (code, killedBy) => resolve({ kind: 'exit', code, killedBy })),
  )
  try {
    const first = await Promise.race([
      exited,
      timeUp(options.timeoutMs, over.signal),
      memoryUp(pid, options.memoryBytes, over.signal),
      aborted(options.signal, over.signal),
    ])
    if (first.kind === 'timeout') await askToEnd(pid, exited, options)
    return first
  } finally {
    over.abort()
  }
}

const never = () => new Promise<never>(() => {})

const timeUp = async (timeoutMs: number, over: AbortSignal) => {
  const waited = await sleep(timeoutMs, true, { signal: over }).catch(() => false)
  return waited ? ({ kind: 'timeout' } as const) : never()
}

/** Gives a test tool the time to say what it has seen so far. */
const askToEnd = async (pid: number, exited: Promise<Ending>, { graceMs = 2000, signal }: RunOptions) => {
  signalGroup(pid, 'SIGTERM')
  await Promise.race([exited, sleep(graceMs, undefined, { signal })])
}

const memoryUp = async (pid: number, limit: number, over: AbortSignal) => {
  while (await sleep(memoryLookMs, true, { signal: over }).catch(() => false)) {
    const resident = treeOf(pid, await runningProcesses()).reduce((total, one) => total + one.residentBytes, 0)
    if (resident > limit) return { kind: 'memory' } as const
  }
  return never()
}

const aborted = (signal: AbortSignal, over: AbortSignal) =>
  new Promise<never>((_resolve, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: over }),
  )

const signalGroup = (pid: number, name: NodeJS.Signals) => signalProcess(-pid, name)

const signalProcess = (pid: number, name: NodeJS.Signals) => {
  try {
    process.kill(pid, name)
  } catch {
    // it is gone already
  }
}

/** The group, then, until none is left, what has left the group or its parent but still carries the mark. */
const killEverything = async (pid: number, run: string) => {
  const descendants = treeOf(pid, await runningProcesses()).map((one) => one.pid)
  signalGroup(pid, 'SIGKILL')
  let strays = [...descendants, ...(await pidsWithVariable(mark, run))]
  for (let round = 0; strays.length > 0 && round < 10; round++) {
    for (const stray of new Set(strays)) signalProcess(stray, 'SIGKILL')
    await sleep(20)
    strays = await pidsWithVariable(mark, run)
  }
}
