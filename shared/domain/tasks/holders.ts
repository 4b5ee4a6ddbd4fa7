import type { Key } from '../../platform/platform.ts'
import type { Task } from './task.ts'

/** Partition of the `holder` index with what an instance holds. */
export const instanceHolderPk = (tenant: string, instance: string): string => `${tenant}#instance#${instance}`
/** Partition of the `holder` index with what waits for somebody to offer a capability. */
export const capabilityHolderPk = (tenant: string, capability: string): string => `${tenant}#capability#${capability}`
/** Partition of the `holder` index with what a limit holds, in the order in which it lets them go. */
export const limitHolderPk = (tenant: string, limit: string): string => `${tenant}#limit#${limit}`
/** What a place in that order tells: `<lane>#<created>#<task>#<agent> <version>`. */
export const heldPlace = (lane: number, listSk: string, { target }: Pick<Task, 'target'>): string =>
  `${lane}#${listSk}#${target?.agent} ${target?.version}`
export const readHeldPlace = (place: string): { id: string; agent: string } => {
  const [, , id = '', agent = ''] = place.split('#')
  return { id, agent }
}
/** Partition of the `holder` index with what waits for one instance. */
export const pinnedHolderPk = (tenant: string, instance: string): string => `${tenant}#pinned#${instance}`
/** Partition of the `holder` index with what waits for an instance of an agent that has the required labels. */
export const unmetHolderPk = (tenant: string, agent: string): string => `${tenant}#unmet#${agent}`

/** Whether its agent is known, and none of the instances may do it. */
export const isUnmet = ({ status, target, blockedBy }: Task): boolean =>
  status === 'QUEUED' && target !== undefined && blockedBy?.code === 'NO_CAPABLE_AGENT'

/** Where a queued task is found that not every instance may do. */
export const placeHolder = (task: Task): Key | undefined => {
  const { tenant, id, target, pinnedTo, status } = task
  if (target !== undefined && isUnmet(task)) return { pk: unmetHolderPk(tenant, target.agent), sk: id }
  return status === 'QUEUED' && pinnedTo !== undefined ? { pk: pinnedHolderPk(tenant, pinnedTo), sk: id } : undefined
}
