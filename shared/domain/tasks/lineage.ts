import type { Platform } from '../../platform/platform.ts'
import { requireDepth } from '../budgets/depth.ts'
import type { Caller } from '../caller.ts'
import { DomainError, invalid } from '../domain-error.ts'
import type { SubmitCommand } from './submit-command.ts'
import { isFinished, runOfTask, type Task } from './task.ts'
import { findTask } from './task-store.ts'

/** How far a tree of tasks may grow. */
export const treeLimits = { depth: 20, children: 10_000 } as const

/** What a task has of the one that called it. */
export type Lineage = Pick<Task, 'parent' | 'root' | 'depth' | 'fairnessKey' | 'pool' | 'deepest' | 'run'>
export type Inherited = { command: SubmitCommand; lineage?: Lineage }

/**
 * The command with what its parent hands down: no later deadline, the same trace, labels and priority unless it has its
 * own. An instance submits nothing but children of what it holds. What is done again has the place in the tree that it had.
 */
export const inherit = async (
  ports: Pick<Platform, 'main'>,
  caller: Caller,
  command: SubmitCommand,
): Promise<Inherited> => {
  if (command.parent === undefined) {
    if (caller.principal.kind === 'instance' && !command.batch)
      throw new DomainError('FORBIDDEN', 'an instance submits children of the tasks that it runs: name one as parent')
    const above = command.retryOf && (await openAbove(ports, caller.tenant, command.retryOf.id))
    return above === undefined ? { command } : { command: fromParent(above, command), lineage: below(above) }
  }
  const parent = (await findTask(ports, caller.tenant, command.parent))?.value
  if (parent === undefined) throw invalid('#/parent', 'UNKNOWN_TASK', `there is no task ${command.parent}`)
  requireOpen(parent, caller, command)
  return { command: fromParent(parent, command), lineage: below(parent) }
}

/**
 * Whose child a task is when it is done again: the nearest above it that has not ended, so that what bounds that one
 * bounds this one too. It is no part of the wish: a repeated retry is the same one after everything above has ended.
 */
const openAbove = async (ports: Pick<Platform, 'main'>, tenant: string, id: string): Promise<Task | undefined> => {
  let task = (await findTask(ports, tenant, id))?.value
  do task = task?.parent === undefined ? undefined : (await findTask(ports, tenant, task.parent))?.value
  while (task !== undefined && isFinished(task))
  return task
}

const requireOpen = (parent: Task, { principal }: Caller, { batch }: SubmitCommand): void => {
  const shard = batch !== undefined && parent.fanOut?.id === batch.id
  if (
    !shard &&
    principal.kind === 'instance' &&
    (parent.status !== 'RUNNING' || parent.lease?.instance !== principal.id)
  )
    throw new DomainError(
      'STALE_FENCE',
      `task ${parent.id} is ${parent.status} and not held by instance ${principal.id}, which cannot add children to it`,
    )
  if (isFinished(parent))
    throw new DomainError('ALREADY_FINISHED', `task ${parent.id} is already ${parent.status} and takes no children`)
}

const fromParent = (parent: Task, command: SubmitCommand): SubmitCommand => ({
  ...command,
  deadline: parent.deadlineGiven ? Math.min(command.deadline ?? parent.deadline, parent.deadline) : command.deadline,
  priority: command.priority ?? parent.priority,
  labels: { ...parent.labels, ...command.labels },
  traceparent: parent.traceparent ?? command.traceparent,
  ...(parent.hops && { hops: parent.hops }),
})

const below = (parent: Task): Lineage => {
  const depth = (parent.depth ?? 0) + 1
  if (depth > treeLimits.depth)
    throw new DomainError(
      'TREE_LIMIT',
      `task ${parent.id} is ${depth - 1} levels below its root; a tree may have ${treeLimits.depth}`,
    )
  requireDepth(parent, depth)
  const { id, root = id, fairnessKey, pool, deepest } = parent
  const run = runOfTask(parent)
  return {
    parent: id,
    root,
    depth,
    fairnessKey,
    ...(pool && { pool }),
    ...(deepest !== undefined && { deepest }),
    ...(run !== undefined && { run }),
  }
}
