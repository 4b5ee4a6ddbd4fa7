import type { Agent } from '#shared/domain/agents/agent.ts'
import { findAgent } from '#shared/domain/agents/agent-store.ts'
import { isLess } from '#shared/domain/dispatch/misfit.ts'
import { endedAttempt, noteAttempts } from '#shared/domain/dispatch/performance.ts'
import type { Instance } from '#shared/domain/instances/instance.ts'
import { findInstance } from '#shared/domain/instances/instance-store.ts'
import { releasePinned, releaseUnmet } from '#shared/domain/tasks/release-placed.ts'
import { reviewQueued } from '#shared/domain/tasks/review-queued.ts'
import { takeOver } from '#shared/domain/tasks/take-over.ts'
import type { Task } from '#shared/domain/tasks/task.ts'
import type { Change, Platform } from '#shared/platform/platform.ts'

/** What waits for an instance goes elsewhere when it takes nothing more; what waits for its labels goes to one that came. */
export const placeForInstance = async (platform: Platform, { before, after }: Change<Instance>): Promise<void> => {
  const instance = after?.value
  if (instance === undefined || instance.state === before?.value.state) return
  const { tenant, agent, labels } = instance
  if (instance.state !== 'ONLINE') return releasePinned(platform, instance)
  if (Object.keys(labels).length === 0) return
  const found = await findAgent(platform, tenant, agent)
  if (found) await releaseUnmet(platform, found.value)
  await takeOver(platform, instance)
}

/** A slot is free that tasks with such labels may have: those that wait for a busy instance may wait for it in vain. */
export const placeForEnded = async (platform: Platform, { lease, requirements, tenant }: Task): Promise<void> => {
  if (lease === undefined || requirements?.labels === undefined) return
  const instance = (await findInstance(platform, tenant, lease.instance))?.value
  if (instance) await takeOver(platform, instance)
}

/** What waits for labels, a class or a capability goes to an agent that has them now, and leaves one that has them no more. */
export const placeForAgent = async (platform: Platform, { before, after }: Change<Agent>): Promise<void> => {
  if (before === undefined || after === undefined || after.value.decommissionedAt !== undefined) return
  const [was, is] = [before.value, after.value].map(({ labels, resourceClass, version, capabilities }) =>
    JSON.stringify([labels, resourceClass, version, capabilities.map(({ name }) => name)]),
  )
  if (was !== is) await releaseUnmet(platform, after.value)
  if (isLess(before.value, after.value)) await reviewQueued(platform, after.value)
}

/** How agents did of late, for whoever has to choose between them. To lose it is harmless. */
export const notePerformance = async (platform: Platform, changes: Change[]): Promise<void> => {
  const ended = changes.flatMap(({ type, before, after }) =>
    type === 'task' && after ? (endedAttempt(before?.value as Task | undefined, after.value as Task) ?? []) : [],
  )
  await noteAttempts(platform, ended).catch((error: unknown) =>
    platform.telemetry.log('warn', 'ended attempts were not taken into account', { error: String(error) }),
  )
}
