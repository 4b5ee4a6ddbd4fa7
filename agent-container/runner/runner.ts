import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Joined } from '#shared/contracts/worker.ts'
import type { AgentDefinition } from '../sdk/index.ts'
import { resourcesOf } from '../sdk/resources.ts'
import { manifestOf } from './manifest.ts'
import { createMask } from './mask.ts'
import { beat, enrol, sendUntilAnswered } from './platform-client.ts'
import { makeRoot } from './root-folder.ts'
import { openSession, type Session } from './session.ts'
import { createSlotPool } from './slot-pool.ts'
import { createTaskRuns } from './task-runs.ts'
import type { TaskSource } from './task-source.ts'

export type RunnerOptions = {
  definition: AgentDefinition
  /** What to load in a slot. */
  agent: string
  source: TaskSource
  slots: number
  secrets: string[]
  /** Without any contact with the platform for so long, the runner ends itself. */
  orphanSeconds: number
  workspaces?: string
  onJoined?: (joined: Joined) => void
  /** The platform wants no more of this instance; it finishes what runs. */
  onDismissed?: () => void
  log: (level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>) => void
}

export type RunnerEnd = 'drained' | 'dismissed' | 'orphaned'
export type Runner = {
  /** Takes no more work, finishes what runs within `seconds`, leaves, and ends. */
  drain(seconds: number): Promise<void>
  busy(): number
  /** Resolves when the runner has ended: drained by its host, dismissed by the platform, or without a platform. */
  ended: Promise<RunnerEnd>
}

const longPollSeconds = 20
/** A heartbeat that took so long was held by the platform: the next one follows at once. */
const heldMs = 1000
const shortPauseMs = 50

/** Joins as an instance, leases tasks into slots, and keeps their leases, until it drains or loses the platform. */
export const startRunner = (options: RunnerOptions): Runner => {
  const { definition, source, slots, log } = options
  const root = makeRoot(options.workspaces)
  const pool = createSlotPool({ agent: options.agent, resources: resourcesOf(definition), root })
  const secrets = [...options.secrets]
  const leasing = new AbortController()
  const stopping = new AbortController()
  let contact = performance.now()
  let session: Session | undefined
  let freed: () => void = () => undefined
  let end: RunnerEnd = 'drained'
  /** Slots that have a task, or are being started for one. */
  let taken = 0

  const onContact = (): void => {
    contact = performance.now()
  }
  const silence = (): number => (performance.now() - contact) / 1000

  const runs = createTaskRuns({
    agent: definition.name,
    source,
    takeSlot: pool.take,
    mask: createMask(secrets),
    onContact,
    log,
  })
  const slotFree = (): Promise<void> =>
    new Promise((resolve) => {
      freed = resolve
    })

  const joinAgain = async (): Promise<Session> => {
    const { signal } = stopping
    await enrol(source, manifestOf(definition), signal)
    const onToken = (token: string): void => void secrets.push(token)
    const next = await openSession({ source, agent: definition.name, slots, signal, onToken })
    onContact()
    options.onJoined?.(next.joined())
    log('info', 'joined', { agent: definition.name, instance: next.joined().instanceId })
    return next
  }
  const forget = (reason: string): void => {
    session?.close()
    session = undefined
    runs.abortAll(reason)
  }
  /** The platform does not know this instance any more: everything it held is lost. */
  const handleRefusal = (error: unknown, under: Session | undefined): false => {
    const status = (error as { status?: number }).status
    if (under === session && (status === 401 || status === 404))
      forget('the platform does not know this instance any more')
    return false
  }

  const leaseOnce = async (under: Session): Promise<void> => {
    const free = slots - taken
    if (free <= 0) return slotFree()
    const max = Math.min(free, 1000)
    const request = { max, free: () => slots - taken, waitSeconds: longPollSeconds, signal: leasing.signal }
    const tasks = await under.lease(request)
    onContact()
    for (const run of tasks.map((task) => runs.start(task, under))) if (run !== undefined) occupy(run)
  }
  const occupy = (run: Promise<void>): void => {
    taken++
    void run.finally(() => {
      taken--
      freed()
    })
  }
  const leaseLoop = async (): Promise<void> => {
    for (let failures = 0; !leasing.signal.aborted; )
      try {
        session ??= await joinAgain()
        await leaseOnce(session)
        failures = 0
      } catch (error) {
        if (leasing.signal.aborted) return
        if (failures === 3) log('warn', 'the platform does not answer as it should', { error: String(error) })
        handleRefusal(error, session)
        await sleep(Math.random() * Math.min(100 * 2 ** failures++, 2000))
      }
  }

  /** `true`: the platform held the answer, wants another one at once, or had news, which it tells without holding. */
  const keepLeases = async (under: Session): Promise<boolean> => {
    const sent = runs.held()
    const began = performance.now()
    const { lost, cancel, drain, again } = await beat(under, under.joined().instanceId, {
      running: sent,
      patienceSeconds: options.orphanSeconds / 2,
      until: stopping.signal,
    })
    onContact()
    for (const held of sent) {
      if (lost.includes(held.taskId)) runs.abort(held, 'the lease is lost')
      if (cancel.includes(held.taskId)) runs.abort(held, 'the task is cancelled')
    }
    if (drain && end !== 'dismissed') {
      end = 'dismissed'
      leasing.abort()
      options.onDismissed?.()
    }
    const news = lost.length > 0 || cancel.length > 0
    return !drain && (news || again === true || performance.now() - began > heldMs)
  }
  /** Without contact for a lease's length, what runs here may run elsewhere already. */
  const selfFence = (): void => {
    if (session !== undefined && silence() > session.joined().leaseSeconds)
      runs.abortAll('no contact with the platform')
    if (silence() > options.orphanSeconds) {
      end = 'orphaned'
      leasing.abort()
      stopping.abort()
    }
  }
  const heartLoop = async (): Promise<void> => {
    for (let held = true; !stopping.signal.aborted; ) {
      const seconds = Math.min(session?.joined().heartbeatSeconds ?? 1, options.orphanSeconds / 3)
      const pause = held && session ? shortPauseMs : seconds * 1000
      await sleep(pause, undefined, { signal: stopping.signal }).catch(() => undefined)
      if (stopping.signal.aborted) return
      const under = session
      held = false
      if (under) held = await keepLeases(under).catch((error: unknown) => handleRefusal(error, under))
      selfFence()
    }
  }

  const finishRuns = async (seconds: number): Promise<void> => {
    await Promise.race([
      runs.ended(),
      sleep(seconds * 1000, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined),
    ])
    runs.abortAll('the instance has ended')
    await runs.ended()
  }
  const leave = async (): Promise<void> => {
    session?.close()
    if (session === undefined || end === 'orphaned') return
    const path = `/instances/${session.joined().instanceId}`
    const signal = AbortSignal.timeout(3000)
    await sendUntilAnswered(session, { method: 'DELETE', path, signal }).catch(() => undefined)
  }
  let drainSeconds = Number.POSITIVE_INFINITY
  const run = async (): Promise<RunnerEnd> => {
    const heart = heartLoop()
    await leaseLoop()
    await finishRuns(end === 'orphaned' ? 0 : Math.min(drainSeconds, 86_400))
    stopping.abort()
    await Promise.all([heart, leave(), pool.close()])
    rmSync(root, { recursive: true, force: true })
    return end
  }
  const ended = run()
  return {
    busy: runs.count,
    ended,
    async drain(seconds) {
      drainSeconds = seconds
      leasing.abort()
      freed()
      await ended
    },
  }
}
