import type { Platform } from '../../platform/platform.ts'
import type { Task } from '../tasks/task.ts'
import { routeTask } from '../tasks/task-moves.ts'
import { findTarget } from './find-target.ts'

type Ports = Pick<Platform, 'main' | 'volatile' | 'clock' | 'random' | 'queues'>

/** What becomes of a waiting task without a target: it goes to whoever can do it now, or tells why nobody can. */
export const routeAgain = async (ports: Ports, task: Task): Promise<(current: Task) => Task> => {
  const { tenant, id, capability, requirements, labels, root = id } = task
  if (capability === undefined) return (current) => current
  const { target, routing, blockedBy } = await findTarget(ports, tenant, capability, { requirements, labels, root })
  return (current) => (target === undefined ? explained(current, blockedBy) : routed(current, target, routing))
}

const waits = ({ target, status }: Task): boolean =>
  target === undefined && (status === 'QUEUED' || status === 'SCHEDULED')

const routed = (task: Task, target: Task['target'], routing: Task['routing']): Task =>
  waits(task) ? { ...routeTask(task, target), routing } : task

/** Who offers its capability may have changed, and with that what it waits for. */
const explained = (task: Task, blockedBy: Task['blockedBy']): Task =>
  waits(task) && task.blockedBy?.message !== blockedBy?.message ? { ...task, blockedBy } : task
