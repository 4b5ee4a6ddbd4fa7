import { type ChildProcess, fork } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Clock, HostedAgent, HostedInstance, Telemetry } from '../platform.ts'
import type { ClosableHosts } from './create-embedded-platform.ts'
import { type pulse, watchPulse } from './pulse.ts'

const runnerMain = fileURLToPath(new URL('../../../agent-container/main.ts', import.meta.url))

type Options = {
  clock: Clock
  telemetry: Telemetry
  serverUrl: () => string
  apiKey: () => string
  /** The process that had joined as this instance has ended. */
  onExit: (instance: string) => void
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
}

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
]

const keyOf = ({ tenant, agent, version }: HostedAgent): string => `${tenant} ${agent} ${version}`

/** Agents as supervised child processes: restarted with back-off when they crash, drained and ended when told. */
export const createEmbeddedAgentHosts = (options: Options): ClosableHosts => {
  const { clock, telemetry, drainSeconds = 10, main = runnerMain } = options
  const running = new Map<string, Supervised>()
  const counts = new Map<string, number>()
  const crashes = new Map<string, number>()
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
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
    const supervised: Supervised = { agent, child, startedAt: clock.now(), wanted: true, ended }
    const id = String(child.pid)
    running.set(id, supervised)
    logLines(telemetry, agent, child)
    child.on('message', (message: { type?: string; instanceId?: string }) => {
      if (message.type === 'joined') supervised.instance = message.instanceId
      if (message.type === 'dismissed') dismiss(supervised)
    })
    watchPulse({
      child,
      times: options.pulse,
      onSilent: () => replace(supervised),
      onBack: () => drainOne(supervised),
      onDead: () => killGroup(child),
    })
    child.on('error', (error) =>
      telemetry.log('error', 'an agent could not be started', { agent: agent.agent, error: String(error) }),
    )
    child.once('exit', (code, signal) => exited(id, supervised, code, signal))
  }

  const exited = (
    id: string,
    { agent, child, instance, startedAt, wanted }: Supervised,
    code: number | null,
    signal: string | null,
  ): void => {
    running.delete(id)
    killGroup(child)
    if (instance !== undefined) options.onExit(instance)
    if (!wanted || closed) return
    const key = keyOf(agent)
    const before = clock.now() - startedAt > backoff.healthyMs ? 0 : (crashes.get(key) ?? 0)
    crashes.set(key, before + 1)
    const ms = Math.min(backoff.firstMs * 2 ** before, backoff.mostMs) * (0.5 + Math.random() / 2)
    telemetry.log('warn', 'an agent process ended and is started again', {
      agent: agent.agent,
      code,
      signal,
      inMs: Math.round(ms),
    })
    setTimeout(() => restore(agent), ms).unref()
  }

  const live = (agent: HostedAgent): Supervised[] =>
    [...running.values()].filter((one) => one.wanted && keyOf(one.agent) === keyOf(agent))
  const restore = (agent: HostedAgent): void => {
    if (!closed && live(agent).length < (counts.get(keyOf(agent)) ?? 0)) start(agent)
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
    setTimeout(() => killGroup(supervised.child), (drainSeconds + 5) * 1000).unref()
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

const logLines = (telemetry: Telemetry, agent: HostedAgent, child: ChildProcess): void => {
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue
    createInterface({ input: stream }).on('line', (line) =>
      telemetry.log('info', line, { agent: agent.agent, from: 'agent' }),
    )
  }
}
