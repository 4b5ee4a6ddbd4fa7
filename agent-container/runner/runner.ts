import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Joined, LeasedTask } from '#shared/contracts/worker.ts'
import type { AgentDefinition } from '../sdk/index.ts'
import { manifestOf } from './manifest.ts'
import { createMask } from './mask.ts'
import { beat, enrol, join, sendUntilAnswered } from './platform-client.ts'
import { createSlotPool } from './slot-pool.ts'
import { runTask, type TaskRun } from './task-run.ts'
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
/** Cap on a slot's memory unless the agent says otherwise. */
export const defaultMemoryMb = 1024

/** Folders of runners that are no more are removed; a folder is named after its process. */
const makeRoot = (base = tmpdir()): string => {
  mkdirSync(base, { recursive: true })
  for (const name of readdirSync(base)) {
    const pid = /^devcycle-(\d+)-/.exec(name)?.[1]
    if (pid !== undefined && !isRunning(Number(pid))) rmSync(joinPath(base, name), { recursive: true, force: true })
  }
  return mkdtempSync(joinPath(base, `devcycle-${process.pid}-`))
}

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Joins as an instance, leases tasks into slots, and keeps their leases, until it drains or loses the platform. */
export const startRunner = (options: RunnerOptions): Runner => {
  const { definition, source, slots, log } = options
  const root = makeRoot(options.workspaces)
  const pool = createSlotPool({ agent: options.agent, memoryMb: definition.memoryMb ?? defaultMemoryMb, root })
  const runs = new Map<string, TaskRun>()
  const leasing = new AbortController()
  const stopping = new AbortController()
  let contact = performance.now()
  let joined: Joined | undefined
  let freed: () => void = () => undefined
  let end: RunnerEnd = 'drained'
  /** Slots that have a task, or are being started for one. */
  let taken = 0

  const onContact = (): void => {
    contact = performance.now()
  }
  const silence = (): number => (performance.now() - contact) / 1000

  const begin = async (task: LeasedTask, under: Joined): Promise<void> => {
    const slot = await pool.take()
    const mask = createMask([...options.secrets, under.token])
    const run = runTask({ task, slot, source, joined: under, mask, onContact })
    runs.set(task.taskId, run)
    await run.ended
    if (runs.get(task.taskId) === run) runs.delete(task.taskId)
  }
  const slotFree = (): Promise<void> =>
    new Promise((resolve) => {
      freed = resolve
    })

  const joinAgain = async (): Promise<Joined> => {
    const signal = stopping.signal
    await enrol(source, manifestOf(definition), signal)
    const next = await join(source, { agent: definition.name, slots }, signal)
    onContact()
    options.onJoined?.(next)
    log('info', 'joined', { agent: definition.name, instance: next.instanceId })
    return next
  }
  const forget = (reason: string): void => {
    joined = undefined
    for (const run of runs.values()) run.abort(reason)
  }
  /** The platform does not know this instance any more: everything it held is lost. */
  const handleRefusal = (error: unknown): void => {
    const status = (error as { status?: number }).status
    if (status === 401 || status === 404) forget('the platform does not know this instance any more')
  }

  const leaseOnce = async (under: Joined): Promise<void> => {
    const free = slots - taken
    if (free <= 0) return slotFree()
    const tasks = await source.lease({
      joined: under,
      max: Math.min(free, 1000),
      waitSeconds: longPollSeconds,
      signal: leasing.signal,
    })
    onContact()
    taken += tasks.length
    for (const task of tasks)
      begin(task, under)
        .catch((error: unknown) =>
          log('error', 'a slot could not be started', { task: task.taskId, error: String(error) }),
        )
        .finally(() => {
          taken--
          freed()
        })
  }
  const leaseLoop = async (): Promise<void> => {
    for (let failures = 0; !leasing.signal.aborted; )
      try {
        joined ??= await joinAgain()
        await leaseOnce(joined)
        failures = 0
      } catch (error) {
        if (leasing.signal.aborted) return
        if (failures === 3) log('warn', 'the platform does not answer as it should', { error: String(error) })
        handleRefusal(error)
        await sleep(Math.random() * Math.min(100 * 2 ** failures++, 2000))
      }
  }

  const keepLeases = async (under: Joined): Promise<void> => {
    const running = [...runs.values()].map(({ task }) => ({ taskId: task.taskId, fence: task.fence }))
    const answer = await beat(source, under, running)
    onContact()
    for (const id of answer.lost) runs.get(id)?.abort('the lease is lost')
    for (const id of answer.cancel) runs.get(id)?.abort('the task is cancelled')
    if (!answer.drain) return
    end = 'dismissed'
    leasing.abort()
  }
  /** Without contact for a lease's length, what runs here may run elsewhere already. */
  const selfFence = (): void => {
    if (joined !== undefined && silence() > joined.leaseSeconds)
      for (const run of runs.values()) run.abort('no contact with the platform')
    if (silence() > options.orphanSeconds) {
      end = 'orphaned'
      leasing.abort()
      stopping.abort()
    }
  }
  const heartLoop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const seconds = Math.min(joined?.heartbeatSeconds ?? 1, options.orphanSeconds / 3)
      await sleep(seconds * 1000, undefined, { signal: stopping.signal }).catch(() => undefined)
      if (stopping.signal.aborted) return
      if (joined) await keepLeases(joined).catch(handleRefusal)
      selfFence()
    }
  }

  const finishRuns = async (seconds: number): Promise<void> => {
    const all = Promise.all([...runs.values()].map((run) => run.ended))
    await Promise.race([
      all,
      sleep(seconds * 1000, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined),
    ])
    for (const run of runs.values()) run.abort('the instance has ended')
    await Promise.all([...runs.values()].map((run) => run.ended))
  }
  const leave = async (): Promise<void> => {
    if (joined === undefined || end === 'orphaned') return
    const request = {
      method: 'DELETE' as const,
      path: `/instances/${joined.instanceId}`,
      token: joined.token,
      signal: AbortSignal.timeout(3000),
    }
    await sendUntilAnswered(source, request).catch(() => undefined)
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
    busy: () => runs.size,
    ended,
    async drain(seconds) {
      drainSeconds = seconds
      leasing.abort()
      freed()
      await ended
    },
  }
}
