import type { Item, Key } from '../../platform/platform.ts'
import { dueIndex } from '../dispatch/due.ts'
import { sortableTime, taskKey } from '../keys.ts'
import { capabilityHolderPk, heldPlace, instanceHolderPk, limitHolderPk, placeHolder } from './holders.ts'
import { isFinished, priorities, runOfTask, type Task } from './task.ts'

/** Partition of the `parent` index that holds the tasks that a task called. */
export const childrenPk = (tenant: string, parent: string): string => `${tenant}#children#${parent}`

/** Partition of the `parent` index that holds the tasks of a run. */
export const runTasksPk = (tenant: string, run: string): string => `${tenant}#run-tasks#${run}`

/** Partition of the `list` index that holds a tenant's tasks. */
export const taskListPk = (tenant: string): string => `${tenant}#tasks`

/** `<created>#<id>`: newest last in `sk` order. */
export const taskListSk = (task: Pick<Task, 'createdAt' | 'id'>): string => `${sortableTime(task.createdAt)}#${task.id}`

const holderOf = (task: Task): Key | undefined => {
  if (task.lease) return { pk: instanceHolderPk(task.tenant, task.lease.instance), sk: task.id }
  if (task.target === undefined && task.capability !== undefined && !isFinished(task))
    return { pk: capabilityHolderPk(task.tenant, task.capability), sk: task.id }
  if (task.heldBy !== undefined)
    return {
      pk: limitHolderPk(task.tenant, task.heldBy),
      sk: heldPlace(priorities.indexOf(task.priority), taskListSk(task), task),
    }
  return placeHolder(task)
}

/** Where a task is found that another one, or a run, has called; rows of a batch are found by that. */
const parentOf = (task: Task): { parent?: Key } => {
  const { tenant, parent, batch } = task
  const run = runOfTask(task)
  if (parent !== undefined) return { parent: { pk: childrenPk(tenant, parent), sk: taskListSk(task) } }
  return run === undefined || batch !== undefined
    ? {}
    : { parent: { pk: runTasksPk(tenant, run), sk: taskListSk(task) } }
}

/** The head of a task, with the places at which it is found. */
export const taskItem = (task: Task): Item<Task> => {
  const holder = holderOf(task)
  return {
    ...taskKey(task.tenant, task.id),
    type: 'task',
    value: task,
    index: {
      list: { pk: taskListPk(task.tenant), sk: taskListSk(task) },
      ...(holder && { holder }),
      ...parentOf(task),
      ...(task.dueAt !== undefined && { due: dueIndex(task.dueAt, task.tenant, task.id) }),
    },
  }
}
