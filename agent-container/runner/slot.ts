import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Resources } from '../sdk/resources.ts'
import { createCgroup } from './resources/cgroup.ts'
import { markName } from './resources/kill.ts'
import { launchOf, limitOpenFiles } from './resources/launch.ts'
import type { Measured } from './resources/meter.ts'
import { type Excess, refusedTo, watchResources } from './resources/watch.ts'
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
  [markName]: workspace,
})

/** Ends a process and everything it started. */
export const killGroup = (child: ChildProcess): void => {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  } catch {
    child.kill('SIGKILL')
  }
}

/** Rejects when the machine gives no process, for instance because somebody else has taken them all. */
const pidOf = async (child: ChildProcess): Promise<number> => {
  if (child.pid !== undefined) return child.pid
  const [error] = await once(child, 'error')
  throw error
}

export type SlotEnd = { code: number | null; signal: NodeJS.Signals | null; stderr: string; excess?: Excess }

export type Slot = {
  workspace: string
  send(message: ToSlot): void
  /** Whoever runs the task listens; there is one listener. */
  onMessage(listener: (message: FromSlot) => void): void
  onText(listener: (stream: 'stdout' | 'stderr', text: string) => void): void
  /** What its processes have used until now. */
  measured(): Measured
  /** Resolves when the process has ended, by itself or not. */
  ended: Promise<SlotEnd>
  kill(): void
  /** Kills what is left and removes the workspace. */
  dispose(): Promise<void>
}

const stderrTail = 2000
const heapShare = 0.8

export type SlotOptions = { agent: string; resources: Resources; root: string }

/** Starts a process that has the agent's handlers loaded and waits for one task. */
export const createSlot = async ({ agent, resources, root }: SlotOptions): Promise<Slot> => {
  const workspace = await mkdtemp(join(root, 'slot-'))
  await mkdir(join(workspace, '.tmp'))
  const child = fork(slotMain, [agent], {
    cwd: workspace,
    env: scrubbed(workspace),
    ...launchOf(resources, [`--max-old-space-size=${Math.floor(resources.memoryMb * heapShare)}`]),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const pid = await pidOf(child).catch(async (error: unknown) => {
    await rm(workspace, { recursive: true, force: true })
    throw error
  })
  limitOpenFiles(pid, resources.openFiles)
  const cgroup = createCgroup(workspace, resources)
  cgroup?.add(pid)
  let stderr = ''
  let onText: (stream: 'stdout' | 'stderr', text: string) => void = () => undefined
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream]?.setEncoding('utf8').on('data', (text: string) => {
      if (stream === 'stderr') stderr = (stderr + text).slice(-stderrTail)
      onText(stream, text)
    })
  let excess: Excess | undefined
  const watch = watchResources({
    root: pid,
    mark: workspace,
    workspace,
    limits: resources,
    cgroup,
    onExcess(found) {
      excess = found
      kill()
    },
  })
  const kill = (): void => {
    watch.killAll()
    killGroup(child)
  }
  const ended = new Promise<SlotEnd>((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: null, stderr: error.message }))
    child.once('close', (code, signal) => {
      excess ??= refusedTo(resources, cgroup)
      resolve({ code, signal, stderr, ...(excess && { excess }) })
    })
  })
  return {
    workspace,
    ended,
    measured: watch.measured,
    send: (message) => void (child.connected && child.send(message, () => undefined)),
    onMessage: (listener) => void child.on('message', listener),
    onText: (listener) => {
      onText = listener
    },
    kill,
    async dispose() {
      kill()
      await ended
      watch.stop()
      await cgroup?.remove()
      await rm(workspace, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}
