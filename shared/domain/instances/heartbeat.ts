import type { Platform } from '../../platform/platform.ts'
import type { Agent } from '../agents/agent.ts'
import { findAgent } from '../agents/agent-store.ts'
import { sendsAway } from '../agents/lifecycle.ts'
import { type Caller, stamp } from '../caller.ts'
import { remind } from '../dispatch/due.ts'
import { DomainError, isRefused } from '../domain-error.ts'
import { instanceHolderPk } from '../tasks/holders.ts'
import type { Task } from '../tasks/task.ts'
import { loseLease, requireFence } from '../tasks/task-moves.ts'
import { taskKey } from '../tasks/task-store.ts'
import { takeBack } from './end-instance.ts'
import { type Instance, leaseSeconds, moveInstance } from './instance.ts'
import { changeInstance, findLease, getInstance, saveLease } from './instance-store.ts'
import { lastNudge, untilNudged } from './nudge.ts'
import { lateCancelled } from './tell-cancelled.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random' | 'queues' | 'telemetry'>

type BeatPorts = Ports & Pick<Platform, 'generation'>

export type HeartbeatCommand = {
  state?: string
  /** Everything that it runs; absent: it does not say, keeps all, and is told of what was cancelled lately. */
  running?: { taskId: string; fence: string }[]
}
export type HeartbeatAnswer = {
  renewed: string[]
  lost: string[]
  cancel: string[]
  drain: boolean
  config?: Record<string, unknown>
  again?: boolean
}

/**
 * The same, held until there is something to tell or the time is over: a cancelled task is told of at once. `again`:
 * something happened to what the instance has not reported; it should beat again now.
 */
export const heldHeartbeat = async (
  ports: BeatPorts,
  caller: Caller,
  id: string,
  { waitMs, signal, ...command }: HeartbeatCommand & { waitMs: number; signal: AbortSignal },
): Promise<HeartbeatAnswer> => {
  if (waitMs <= 0) return heartbeat(ports, caller, id, command)
  const { tenant } = caller
  const than = await lastNudge(ports, tenant, id)
  const answer = await heartbeat(ports, caller, id, command)
  if (hasNews(answer)) return answer
  const isNudged = await untilNudged(ports, { tenant, instance: id, than, ms: waitMs })
  if (signal.aborted) return answer
  if (await isOffline(ports, tenant, id)) return { ...answer, again: true }
  const later = await heartbeat(ports, caller, id, command)
  return isNudged && !hasNews(later) ? { ...later, again: true } : later
}

/** Gone while its heartbeat was held: only a new one shows that it lives. */
const isOffline = async (ports: BeatPorts, tenant: string, id: string): Promise<boolean> =>
  (await getInstance(ports, tenant, id)).value.state === 'OFFLINE'

const hasNews = ({ lost, cancel, drain }: HeartbeatAnswer): boolean => drain || lost.length > 0 || cancel.length > 0

/** Keeps the instance's leases, and tells it which of them it has lost and whether it should drain. */
export const heartbeat = async (
  ports: BeatPorts,
  caller: Caller,
  id: string,
  { state, running }: HeartbeatCommand,
): Promise<HeartbeatAnswer> => {
  const instance = await signOfLife(ports, caller, id, { running: running?.length, draining: state === 'MAINTENANCE' })
  const agent = (await findAgent(ports, caller.tenant, instance.agent))?.value
  const drain = instance.state === 'MAINTENANCE' || isUnwanted(agent)
  const answer: HeartbeatAnswer = { renewed: [], lost: [], cancel: [], drain }
  if (agent?.configuration.settings) answer.config = agent.configuration.settings
  if (running === undefined) return { ...answer, cancel: await lateCancelled(ports, caller.tenant, id) }
  await takeBackUnreported(ports, caller.tenant, { id, running })
  const heads = await ports.main.getMany<Task>(running.map(({ taskId }) => taskKey(caller.tenant, taskId)))
  for (const [at, { taskId, fence }] of running.entries())
    answer[verdict(heads[at]?.value, fence, ports.generation)].push(taskId)
  return answer
}

const isUnwanted = (agent: Agent | undefined): boolean =>
  agent === undefined || agent.decommissionedAt !== undefined || sendsAway(agent)

/**
 * What the instance holds for longer than a lease and does not say that it runs is not renewed: it never learned of it,
 * because an answer was lost.
 */
const takeBackUnreported = async (
  ports: Ports,
  tenant: string,
  { id, running }: { id: string; running: { taskId: string }[] },
): Promise<void> => {
  const reported = new Set(running.map(({ taskId }) => taskId))
  const page = await ports.main.query<Task>({ index: 'holder', pk: instanceHolderPk(tenant, id), limit: 1000 })
  const now = ports.clock.now()
  const isOld = ({ lease }: Task) => lease !== undefined && now - lease.since > leaseSeconds * 1000
  const forgotten = page.items.map(({ value }) => value).filter((task) => isOld(task) && !reported.has(task.id))
  const message = `instance ${id} does not run it`
  await Promise.all(
    forgotten.map((task) => takeBack(ports, tenant, task.id, id, (held) => loseLease(held, { now, message }))),
  )
}

const verdict = (task: Task | undefined, fence: string, generation: number): 'renewed' | 'lost' | 'cancel' => {
  if (task?.status === 'CANCELLED') return 'cancel'
  return task !== undefined && !isRefused(requireFence(task, fence, { generation })) ? 'renewed' : 'lost'
}

type Life = { running?: number; draining?: boolean }

/** One that has left gets nothing more, and does not come back. */
export const requirePresent = ({ id, detail }: Instance): void => {
  if (detail === 'LEFT') throw new DomainError('NOT_FOUND', `instance ${id} has left; join again`)
}

/** Renews the leases; brings an instance back that was given up, which has lost what it held. */
export const signOfLife = async (
  ports: Ports,
  caller: Caller,
  id: string,
  { running, draining }: Life = {},
): Promise<Instance> => {
  const { tenant } = caller
  const [start, before] = await Promise.all([getInstance(ports, tenant, id), findLease(ports, tenant, id)])
  requirePresent(start.value)
  const now = ports.clock.now()
  const expiresAt = now + leaseSeconds * 1000
  const count = running ?? before?.running ?? 0
  const idleSince = count > 0 ? undefined : (before?.idleSince ?? now)
  await saveLease(ports, tenant, { instance: id, expiresAt, running: count, slots: start.value.slots, idleSince })
  if (start.value.state !== 'OFFLINE' && !draining) return start.value
  if (start.value.state === 'OFFLINE') await remind(ports, { tenant, id, at: expiresAt })
  const change = { by: `instance:${id}`, at: now }
  return changeInstance(ports, start, (instance) => {
    const back = moveInstance(instance, 'ONLINE', { detail: 'READY', reason: 'gave a sign of life again', ...change })
    const next = draining
      ? moveInstance(back, 'MAINTENANCE', { detail: 'DRAINING', reason: 'drains', ...change })
      : back
    return next === instance ? instance : { ...next, stamp: stamp(caller, 'instance.heartbeat') }
  })
}

/** The same, at most so often: for worker calls that renew in passing. */
const renewAfterMs = (leaseSeconds * 1000) / 3

/** Renews in passing when the lease is getting old; what the instance does is left as its heartbeat told it. */
export const renewInPassing = async (ports: Ports, caller: Caller, id: string): Promise<void> => {
  const lease = await findLease(ports, caller.tenant, id)
  const fresh = lease !== undefined && lease.expiresAt - ports.clock.now() > leaseSeconds * 1000 - renewAfterMs
  if (!fresh) await signOfLife(ports, caller, id)
}
