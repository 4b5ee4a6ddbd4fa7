import type { Platform, Stored } from '../../platform/platform.ts'
import { findAgent } from '../agents/agent-store.ts'
import { type Caller, stamp, systemStamp } from '../caller.ts'
import { compete } from '../contention.ts'
import { DomainError, invalid, isRefused } from '../domain-error.ts'
import { digest, idFor } from '../ids.ts'
import { readPattern } from '../patterns/pattern.ts'
import { findQueue } from '../queues/queue-store.ts'
import { type IfMatch, requireRev } from '../require-rev.ts'
import { requireKept, requireSame } from '../require-same.ts'
import { findWebhook } from '../webhooks/webhook-store.ts'
import { versionsFor } from '../workflows/workflow.ts'
import { findWorkflow } from '../workflows/workflow-store.ts'
import type { Subscription } from './subscription.ts'
import { isTopic } from './topic.ts'
import {
  countPrefixes,
  createSubscription,
  findSubscription,
  getSubscription,
  mostPrefixes,
  saveSubscription,
} from './topic-store.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

export type SubscriptionCommand = Pick<Subscription, 'topic' | 'pattern' | 'target' | 'description'>

/** Makes a subscription; a repeated creation under its key answers the first one. */
export const makeSubscription = async (
  ports: Ports,
  caller: Caller,
  { idempotencyKey, ...command }: SubscriptionCommand & { idempotencyKey?: string },
): Promise<Stored<Subscription>> => {
  const { tenant } = caller
  const id = idFor('sub', tenant, idempotencyKey, ports)
  const created = digest(command)
  const known = idempotencyKey === undefined ? undefined : await findSubscription(ports, tenant, id)
  const same = (stored: Stored<Subscription>): Stored<Subscription> => {
    requireKept(`subscription ${id}`, idempotencyKey, stored.value.deletedAt !== undefined)
    requireSame(`subscription ${id}`, idempotencyKey, { before: stored.value.created, now: created })
    return stored
  }
  if (known) return same(known)
  requirePattern(command)
  await requireTarget(ports, tenant, command)
  await requireRoom(ports, tenant, command)
  const subscription: Subscription = {
    ...command,
    id,
    tenant,
    createdAt: ports.clock.now(),
    created,
    by: caller.principal,
    stamp: stamp(caller, 'subscription.create'),
  }
  const existing = await createSubscription(ports, subscription)
  if (existing) same(existing)
  return getSubscription(ports, tenant, id)
}

const requirePattern = ({ pattern }: SubscriptionCommand): void => {
  const read = pattern && readPattern(pattern, '#/pattern')
  if (read === undefined || !('problems' in read)) return
  const [first] = read.problems
  throw new DomainError('INVALID', `${first?.pointer}: ${first?.message}`, read.problems)
}

/** What a target names must be there, and lead away from the topic. */
const requireTarget = async (ports: Ports, tenant: string, { topic, target }: SubscriptionCommand): Promise<void> => {
  if ('topic' in target && isTopic(topic, target.topic))
    throw invalid('#/target/topic', 'CYCLE', `${target.topic} is what it subscribes to; every message would come again`)
  if ('workflow' in target) await requireWorkflow(ports, tenant, target)
  if ('webhook' in target && (await findWebhook(ports, tenant, target.webhook)) === undefined)
    throw invalid('#/target/webhook', 'NOT_FOUND', `there is no webhook ${target.webhook}; make it first`)
  if ('agent' in target && (await findAgent(ports, tenant, target.agent)) === undefined)
    throw invalid('#/target/agent', 'NOT_FOUND', `there is no agent ${target.agent}; register it first`)
  if ('queue' in target && (await findQueue(ports, tenant, target.queue)) === undefined)
    throw invalid('#/target/queue', 'NOT_FOUND', `there is no queue ${target.queue}; make it first`)
}

const requireWorkflow = async (
  ports: Ports,
  tenant: string,
  { workflow, version }: { workflow: string; version?: string },
): Promise<void> => {
  const found = await findWorkflow(ports, tenant, workflow)
  if (found === undefined)
    throw invalid('#/target/workflow', 'NOT_FOUND', `there is no workflow ${workflow}; save it first`)
  const versions = versionsFor(found.value, version)
  if (isRefused(versions)) throw invalid('#/target/version', versions.refused, versions.message)
}

const requireRoom = async (ports: Ports, tenant: string, { topic }: SubscriptionCommand): Promise<void> => {
  if (topic.endsWith('*') && (await countPrefixes(ports, tenant)) >= mostPrefixes)
    throw new DomainError(
      'CONFLICT',
      `there are ${mostPrefixes} subscriptions to beginnings of names, as many as there can be; name a topic`,
    )
}

/** Ends what waits for a message, whether that came or not. */
export const endSubscription = async (ports: Ports, tenant: string, id: string): Promise<void> => {
  const about = { deletedAt: ports.clock.now(), stamp: systemStamp('subscription.end') }
  await compete(ports, `subscription ${id}`, async () => {
    const found = await findSubscription(ports, tenant, id)
    if (found === undefined) return { done: undefined }
    const saved = await saveSubscription(ports, found, { ...found.value, ...about })
    return saved && { done: undefined }
  })
}

/** What a step waits for ends with the step. */
const requireFree = ({ id, target, description }: Subscription): void => {
  if (!('step' in target)) return
  const { run } = target.step
  throw new DomainError('CONFLICT', `${description} (${id}); to end that, stop the run: devcycle runs stop ${run}`)
}

/** It matches nothing more; what it matched and has not delivered is a dead letter. */
export const deleteSubscription = async (
  ports: Ports,
  caller: Caller,
  id: string,
  ifMatch?: IfMatch,
): Promise<void> => {
  const about = { deletedAt: ports.clock.now(), stamp: stamp(caller, 'subscription.delete') }
  await compete(ports, `subscription ${id}`, async () => {
    const found = await getSubscription(ports, caller.tenant, id)
    requireRev(`subscription ${id}`, found, ifMatch)
    requireFree(found.value)
    const saved = await saveSubscription(ports, found, { ...found.value, ...about })
    return saved && { done: saved }
  })
}
