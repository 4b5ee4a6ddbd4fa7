import { type Agent, offers } from '../agents/agent.ts'
import type { Task } from '../tasks/task.ts'
import { unmetBy } from './requirements.ts'

type Wanted = Pick<Task, 'capability' | 'requirements' | 'letter'>

/**
 * What keeps an agent from a task whatever its instances have, in words; `undefined`: nothing. Its mail is its own, with or
 * without a handler.
 */
export const misfitOf = (agent: Agent, { capability, requirements, letter }: Wanted): string | undefined => {
  if (letter !== undefined) return undefined
  if (capability !== undefined && !offers(agent, capability)) return `it does not offer ${capability}`
  return requirements && unmetBy({ ...agent, instances: [] }, { ...requirements, labels: undefined })
}

/** Whether an agent has lost something that a task of it may require. */
export const isLess = (before: Agent, after: Agent): boolean =>
  before.resourceClass !== after.resourceClass ||
  before.version !== after.version ||
  before.capabilities.some(({ name }) => !offers(after, name)) ||
  Object.entries(before.labels).some(([key, value]) => after.labels[key] !== value)
