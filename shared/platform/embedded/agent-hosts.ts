import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Clock, HostedAgent, HostedInstance, Telemetry } from '../platform.ts'
import { logLines } from './agent-lines.ts'
import type { ClosableHosts } from './create-embedded-platform.ts'
import { type pulse, watchPulse } from './pulse.ts'

const runnerMain = fileURLToPath(new URL('../../../agent-container/main.ts', import.meta.url))

type Options = {
  clock: Clock
  telemetry: Telemetry
  serverUrl: () => string
  apiKey: () => string
  /** A process of this agent has joined as this instance. */
  onJoined?: (agent: HostedAgent, instance: string) => void
  /** The process that had joined as this instance has ended. */
  onExit: (instance: string, next: { restarts: boolean; agent: HostedAgent }) => void
  /** A process ended by itself before it joined, and why; told once until one of this agent joins. */
  onFailedStart?: (agent: HostedAgent, reason: string) => void
  /** How long an instance may finish its work when it is drained. @default 10 */
  drainSeconds?: number
  /** What is started. @default the agent container's main */
  main?: string
  /** How it is found out that a process hangs. @default pulse */
  pulse?: typeof pulse
}

type Supervised = {
  agent: HostedAgent
  child: ChildProcess
  instance?: string
  startedAt: number
  wanted: boolean
  ended: Promise<void>
  /** The last error that it printed. */
  lastError: () => string | undefined
}
type End = { code?: number | null; signal?: string | null; error?: string }

const backoff = { firstMs: 200, mostMs: 30_000, healthyMs: 60_000 }
const passedOn = [
  'PATH',
  'LANG',
  'LC_ALL',
  'TZ',
  'HOME',
  'TMPDIR',
  'JAVA_HOME',
  'CARGO_HOME',
  'RUSTUP_HOME',
  'NODE_EXTRA_CA_CERTS',
  'NODE_COMPILE_CACHE',
]

const keyOf = ({ tenant, agent, version }: HostedAgent): string => `${tenant} ${agent} ${version}`

/** Agents as supervised child processes: restarted with back-off when they crash, drained and ended when told. */
export const createEmbeddedAgentHosts = (options: Options): ClosableHosts => {
  const { clock, telemetry, drainSeconds = 10, main = runnerMain } = options
  const running = new Map<string, Supervised>()
  const counts = new Map<string, number>()
  const crashes = new Map<string, number>()
  const toldOf = new Set<string>()
  let unstarted = 0
  let closed = false

  const environment = (): NodeJS.ProcessEnv => ({
    ...Object.fromEntries(
      passedOn.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
    ),
    DEVCYCLE_URL: options.serverUrl(),
    DEVCYCLE_API_KEY: options.apiKey(),
    DEVCYCLE_DRAIN_SECONDS: String(drainSeconds),
  })

  const start = (agent: HostedAgent): void => {
    const child = fork(main, ['--agent', agent.source], {
      env: environment(),
      execArgv: [],
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    const lastError = logLines(telemetry, agent.agent, child)
    const ended = endOf(child)
    const supervised: Supervised = { agent, child, startedAt: clock.now(), wanted: true, ended, lastError }
    const id = String(child.pid ?? `unstarted-${++unstarted}`)
    running.set(id, supervised)
    attend(id, supervised)
    if (child.pid !== undefined) watch(supervised)
  }
  const attend = (id: string, supervised: Supervised): void => {
    const { agent, child } = supervised
    child.on('message', (message: { type?: string; instanceId?: string }) => {
      if (message.type === 'joined') joined(supervised, message.instanceId)
      if (message.type === 'dismissed') dismiss(supervised)
    })
    child.on('error', ({ message }) => {
      const told = { agent: agent.agent, error: message }
      telemetry.log('error', 'an agent process could not be started, told or ended', told)
      if (child.pid === undefined) exited(id, supervised, { error: message })
    })
    child.once('exit', (code, signal) => exited(id, supervised, { code, signal }))
  }
  const watch = (supervised: Supervised): void =>
    watchPulse({
      child: supervised.child,
      times: options.pulse,
      onSilent: () => replace(supervised),
      onBack: () => drainOne(supervised),
      onDead: () => killGroup(supervised.child),
    })

  const joined = (supervised: Supervised, instance: string | undefined): void => {
    supervised.instance = instance
    toldOf.delete(keyOf(supervised.agent))
    if (instance !== undefined) options.onJoined?.(supervised.agent, instance)
  }
  const exited = (id: string, supervised: Supervised, end: End): void => {
    const { agent, child, instance, wanted } = supervised
    running.delete(id)
    killGroup(child)
    const restarts = wanted && !closed
    if (instance !== undefined) options.onExit(instance, { restarts, agent })
    if (!restarts) return
    if (instance === undefined && !end.signal) void supervised.ended.then(() => tellFailedStart(supervised, end))
    const inMs = nextPause(supervised)
    telemetry.log('warn', 'an agent process ended and is started again', { agent: agent.agent, ...end, inMs })
    setTimeout(() => restore(agent), inMs).unref()
  }
  const nextPause = ({ agent, startedAt }: Supervised): number => {
    const key = keyOf(agent)
    const before = clock.now() - startedAt > backoff.healthyMs ? 0 : (crashes.get(key) ?? 0)
    crashes.set(key, before + 1)
    return Math.round(Math.min(backoff.firstMs * 2 ** before, backoff.mostMs) * (0.5 + Math.random() / 2))
  }
  const tellFailedStart = ({ agent, lastError }: Supervised, { code, error }: End): void => {
    const reason = lastError() ?? error ?? `its process ended with code ${code}`
    telemetry.log('error', 'an agent does not start', { agent: agent.agent, reason })
    if (closed || toldOf.has(keyOf(agent))) return
    toldOf.add(keyOf(agent))
    options.onFailedStart?.(agent, reason)
  }

  const live = (agent: HostedAgent): Supervised[] =>
    [...running.values()].filter((one) => one.wanted && keyOf(one.agent) === keyOf(agent))
  const restore = (agent: HostedAgent): void => {
    if (closed || live(agent).length >= (counts.get(keyOf(agent)) ?? 0)) return
    try {
      start(agent)
    } catch (error) {
      telemetry.log('error', 'an agent could not be started', { agent: agent.agent, error })
      setTimeout(() => restore(agent), backoff.mostMs).unref()
    }
  }
  /** The platform wants no more of it: its agent is out of service. */
  const dismiss = (supervised: Supervised): void => {
    supervised.wanted = false
    counts.set(keyOf(supervised.agent), live(supervised.agent).length)
  }
  /** Another one takes its place; when it lives again it finishes what is still its own, and goes. */
  const replace = (supervised: Supervised): void => {
    if (!supervised.wanted || closed) return
    supervised.wanted = false
    telemetry.log('warn', 'an agent process does not answer; another one is started', { agent: supervised.agent.agent })
    restore(supervised.agent)
  }
  const drainOne = (supervised: Supervised): void => {
    supervised.wanted = false
    supervised.child.kill('SIGTERM')
    const timer = setTimeout(() => killGroup(supervised.child), (drainSeconds + 5) * 1000).unref()
    supervised.child.once('exit', () => clearTimeout(timer)) // from then on its number may be another one's
  }
  const find = (id: string): Supervised | undefined => running.get(id)

  return {
    async scale(agent, count) {
      counts.set(keyOf(agent), count)
      const now = live(agent)
      for (let missing = count - now.length; missing > 0; missing--) start(agent)
      for (const extra of now.slice(count)) drainOne(extra)
    },
    async instances(agent) {
      const all = [...running].filter(([, one]) => keyOf(one.agent) === keyOf(agent))
      return all.map(([id, one]): HostedInstance => ({ id, state: stateOf(one), startedAt: one.startedAt }))
    },
    async drain(id) {
      const supervised = find(id)
      if (supervised === undefined) return
      const key = keyOf(supervised.agent)
      counts.set(key, Math.max(0, (counts.get(key) ?? 0) - 1))
      drainOne(supervised)
    },
    async stop(id) {
      const supervised = find(id)
      if (supervised === undefined) return
      supervised.wanted = false
      killGroup(supervised.child)
      await supervised.ended
    },
    protect: async () => undefined, // nothing scales in by itself here
    async close() {
      closed = true
      const all = [...running.values()]
      for (const one of all) drainOne(one)
      await Promise.all(all.map((one) => one.ended))
    },
  }
}

const stateOf = ({ wanted, instance }: Supervised): HostedInstance['state'] =>
  wanted ? (instance === undefined ? 'STARTING' : 'RUNNING') : 'DRAINING'

const killGroup = (child: ChildProcess): void => {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  } catch {
    // the group is gone already
  }
}

/** After its last line; a process that never was has no `close`. */
const endOf = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.once('close', () => resolve())
    child.once('error', () => child.pid === undefined && resolve())
  })
