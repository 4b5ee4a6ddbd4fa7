import { type Priority, priorities, type Target } from '../tasks/task.ts'

/** The queue of one lane of one agent version. */
export const laneQueue = (
  tenant: string,
  { agent, version }: Pick<Target, 'agent' | 'version'>,
  lane: Priority,
): string => `${tenant}.${agent}.${version}.${lane}`

/** All lanes of an agent version, highest first. */
export const laneQueues = (
  tenant: string,
  target: Pick<Target, 'agent' | 'version'>,
): { lane: Priority; queue: string }[] => priorities.map((lane) => ({ lane, queue: laneQueue(tenant, target, lane) }))
