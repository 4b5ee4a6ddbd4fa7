import type { Platform } from '../../platform/platform.ts'
import { instanceToken } from '../access/authenticate.ts'
import { hashSecret, newSecret } from '../access/secret.ts'
import { type Agent, type AgentConfiguration, stateDetails } from '../agents/agent.ts'
import { getAgent, saveAgent } from '../agents/agent-store.ts'
import { sendsAway } from '../agents/lifecycle.ts'
import { actorOf, type Caller, stamp } from '../caller.ts'
import { remind } from '../dispatch/due.ts'
import { laneQueues } from '../dispatch/lanes.ts'
import { reserveOf } from '../dispatch/reserve.ts'
import { DomainError, invalid } from '../domain-error.ts'
import { digest, idFor } from '../ids.ts'
import { heartbeatSeconds, type Instance, leaseSeconds, moveInstance, tokenSeconds } from './instance.ts'
import { changeInstance, createInstance, findLease, getInstance, saveLease } from './instance-store.ts'

export type JoinCommand = {
  agent: string
  version?: string
  slots: number
  labels: Record<string, string>
  idempotencyKey?: string
}

export type JoinAnswer = {
  instanceId: string
  token: string
  tokenExpiresIn: number
  heartbeatSeconds: number
  leaseSeconds: number
  queue?: { lanes: { lane: string; address: string; keepFree: number }[] }
}

type Ports = Omit<Platform, 'feed' | 'bus' | 'hosts' | 'objects' | 'generation'>

/** Makes the caller's process an instance of an agent's version. The first one brings a REGISTERED agent ONLINE. */
export const joinInstance = async (ports: Ports, caller: Caller, command: JoinCommand): Promise<JoinAnswer> => {
  const found = await getAgent(ports, caller.tenant, command.agent)
  const agent = found.value
  if (agent.decommissionedAt !== undefined) throw new DomainError('NOT_FOUND', `agent ${agent.name} is decommissioned`)
  if (command.version !== undefined && command.version !== agent.version)
    throw invalid(
      '#/version',
      'UNKNOWN_VERSION',
      `agent ${agent.name} has no version ${command.version}; it has ${agent.version}`,
    )
  const secret = newSecret(ports)
  const instance = buildInstance(ports, caller, { agent, command, secret })
  await Promise.all([
    store(ports, instance),
    renew(ports, instance),
    comesOnline(agent) ? bringOnline(ports, caller, found) : undefined,
    ...laneQueues(caller.tenant, instance).map(({ queue }) => ports.queues.ensure(queue)),
  ])
  const token = instanceToken(caller.tenant, instance.id, secret)
  const queue = await locateQueues(ports, instance, agent.configuration)
  return {
    instanceId: instance.id,
    token,
    tokenExpiresIn: tokenSeconds,
    heartbeatSeconds,
    leaseSeconds,
    ...(queue && { queue }),
  }
}

/**
 * A repeated join is the same instance with a new token: the first answer was lost, and its token with it. One that has
 * left joins as what it is now.
 */
const store = async (ports: Ports, instance: Instance): Promise<void> => {
  if ((await createInstance(ports, instance)) === undefined) return
  const start = await getInstance(ports, instance.tenant, instance.id)
  const { tokenHash, tokenExpiresAt, slots, labels } = instance
  const change = { detail: 'READY', reason: 'joined again', by: instance.stamp.actor, at: instance.joinedAt }
  await changeInstance(ports, start, (known) => {
    if (known.agent !== instance.agent) throw usedFor(`of ${known.agentName}`)
    const hasLeft = known.state === 'OFFLINE'
    if (!hasLeft && digest([known.slots, known.labels]) !== digest([slots, labels]))
      throw usedFor('with other slots or labels, which has not left')
    const joined = hasLeft ? { ...moveInstance(known, 'ONLINE', change), slots, labels } : known
    return { ...joined, tokenHash, tokenExpiresAt, stamp: instance.stamp }
  })
}

const usedFor = (what: string): DomainError =>
  new DomainError('IDEMPOTENCY_CONFLICT', `the idempotency key was used for an instance ${what}`)

const renew = async (ports: Ports, { tenant, id, slots }: Instance): Promise<void> => {
  const now = ports.clock.now()
  const expiresAt = now + leaseSeconds * 1000
  const { running = 0, idleSince = now } = (await findLease(ports, tenant, id)) ?? {}
  await saveLease(ports, tenant, {
    instance: id,
    expiresAt,
    running,
    slots,
    idleSince: running > 0 ? undefined : idleSince,
  })
  await remind(ports, { tenant, id, at: expiresAt })
}

const buildInstance = (
  ports: Ports,
  caller: Caller,
  { agent, command, secret }: { agent: Agent; command: JoinCommand; secret: string },
): Instance => {
  const now = ports.clock.now()
  return {
    id: idFor('ins', caller.tenant, command.idempotencyKey, ports),
    tenant: caller.tenant,
    agent: agent.id,
    agentName: agent.name,
    version: agent.version,
    slots: command.slots,
    labels: command.labels,
    state: 'ONLINE',
    detail: 'READY',
    tokenHash: hashSecret(secret),
    tokenExpiresAt: now + tokenSeconds * 1000,
    joinedAt: now,
    history: [{ to: 'ONLINE', reason: 'joined', by: actorOf(caller), at: now }],
    stamp: stamp(caller, 'instance.join'),
  }
}

/** One that a person took out of service stays there, whoever joins. */
const comesOnline = (agent: Agent): boolean =>
  agent.state === 'REGISTERED' || (agent.state === 'OFFLINE' && !sendsAway(agent))

/** Several instances may join at once: who comes second finds the agent online already. */
const bringOnline = async (
  ports: Ports,
  caller: Caller,
  found: Awaited<ReturnType<typeof getAgent>>,
): Promise<void> => {
  const change = { state: 'ONLINE' as const, detail: stateDetails.ONLINE, updatedAt: ports.clock.now() }
  try {
    await saveAgent(ports, found, { ...found.value, ...change, stamp: stamp(caller, 'agent.online') })
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'PRECONDITION_FAILED') throw error
  }
}

const locateQueues = async (
  { queues }: Ports,
  instance: Instance,
  { reservedSlots }: AgentConfiguration,
): Promise<JoinAnswer['queue']> => {
  const lanes = await Promise.all(
    laneQueues(instance.tenant, instance).map(async ({ lane, queue }) => ({
      lane,
      address: await queues.locate(queue),
      keepFree: reserveOf(lane, { slots: instance.slots, reservedSlots }),
    })),
  )
  const known = lanes.flatMap(({ address, ...lane }) => (address === undefined ? [] : [{ ...lane, address }]))
  return known.length === lanes.length ? { lanes: known } : undefined
}
