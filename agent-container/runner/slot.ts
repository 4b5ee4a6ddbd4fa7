import { type ChildProcess, fork } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { watchMemory } from './memory-watch.ts'
import type { FromSlot, ToSlot } from './slot-messages.ts'

const slotMain = fileURLToPath(new URL('./slot-main.ts', import.meta.url))

/** What of the runner's environment a slot may see: nothing that could be a credential. */
const passedOn = [
  'PATH',
  'LANG',
  'LC_ALL',
  'TZ',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'JAVA_HOME',
  'GOROOT',
  'CARGO_HOME',
  'RUSTUP_HOME',
]

const scrubbed = (workspace: string): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    passedOn.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  ),
  HOME: workspace,
  TMPDIR: join(workspace, '.tmp'),
})

/** Ends a process and everything it started. */
export const killGroup = (child: ChildProcess): void => {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  } catch {
    child.kill('SIGKILL')
  }
}

export type SlotEnd = { code: number | null; signal: NodeJS.Signals | null; stderr: string; overMemoryMb?: number }

export type Slot = {
  workspace: string
  send(message: ToSlot): void
  /** Whoever runs the task listens; there is one listener. */
  onMessage(listener: (message: FromSlot) => void): void
  onText(listener: (stream: 'stdout' | 'stderr', text: string) => void): void
  /** Resolves when the process has ended, by itself or not. */
  ended: Promise<SlotEnd>
  kill(): void
  /** Kills what is left and removes the workspace. */
  dispose(): Promise<void>
}

const stderrTail = 2000
const heapShare = 0.8

/** Starts a process that has the agent's handlers loaded and waits for one task. */
export const createSlot = async ({
  agent,
  memoryMb,
  root,
}: {
  agent: string
  memoryMb: number
  root: string
}): Promise<Slot> => {
  const workspace = await mkdtemp(join(root, 'slot-'))
  await mkdir(join(workspace, '.tmp'))
  const child = fork(slotMain, [agent], {
    cwd: workspace,
    env: scrubbed(workspace),
    execArgv: [`--max-old-space-size=${Math.floor(memoryMb * heapShare)}`],
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let stderr = ''
  let onText: (stream: 'stdout' | 'stderr', text: string) => void = () => undefined
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream]?.setEncoding('utf8').on('data', (text: string) => {
      if (stream === 'stderr') stderr = (stderr + text).slice(-stderrTail)
      onText(stream, text)
    })
  const memory = watchMemory(child, memoryMb, () => killGroup(child))
  const ended = new Promise<SlotEnd>((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: null, stderr: error.message }))
    child.once('close', (code, signal) => resolve({ code, signal, stderr, overMemoryMb: memory.stop() }))
  })
  return {
    workspace,
    ended,
    send: (message) => void (child.connected && child.send(message, () => undefined)),
    onMessage: (listener) => void child.on('message', listener),
    onText: (listener) => {
      onText = listener
    },
    kill: () => killGroup(child),
    async dispose() {
      killGroup(child)
      await ended
      await rm(workspace, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}
