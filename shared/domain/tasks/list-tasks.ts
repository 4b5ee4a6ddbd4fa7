import type { Platform, Query } from '../../platform/platform.ts'
import type { Priority, Task, TaskStatus } from './task.ts'
import { childrenPk, taskListPk } from './task-store.ts'

export type TaskFilter = {
  status?: TaskStatus
  /** Name or id. */
  agent?: string
  capability?: string
  priority?: Priority
  labels: [string, string | undefined][]
  parent?: string
  workflowRun?: string
  /** Created at or after, in milliseconds. */
  since?: number
  /** Created before, in milliseconds. */
  until?: number
}

/** Whether a task is one that a filter asks for; `since` and `until` are the range of the list, and not looked at here. */
export const matches = (filter: TaskFilter, task: Task): boolean =>
  [
    filter.status === undefined || task.status === filter.status,
    filter.agent === undefined || task.target?.agentName === filter.agent || task.target?.agent === filter.agent,
    filter.capability === undefined || task.capability === filter.capability,
    filter.priority === undefined || task.priority === filter.priority,
    filter.parent === undefined || task.parent === filter.parent,
    filter.workflowRun === undefined, // no task is a workflow's so far
    filter.labels.every(
      ([key, value]) => Object.hasOwn(task.labels, key) && (value === undefined || task.labels[key] === value),
    ),
  ].every(Boolean)

/** So many tasks are looked at for one page: a rare filter gives short pages, never a slow one. */
const maxExamined = 2000
const sortableTime = (ms: number): string => String(ms).padStart(15, '0')

/** Where the tasks of a filter are listed: both places sort by time. */
const listOf = (tenant: string, { parent }: TaskFilter): Pick<Query, 'index' | 'pk'> =>
  parent === undefined ? { index: 'list', pk: taskListPk(tenant) } : { index: 'parent', pk: childrenPk(tenant, parent) }

/** Newest first. */
export const listTasks = async (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  { filter, limit, cursor }: { filter: TaskFilter; limit: number; cursor?: string },
): Promise<{ items: Task[]; cursor?: string }> => {
  const range = {
    ...(filter.since !== undefined && { after: sortableTime(filter.since) }),
    ...(filter.until !== undefined && { before: sortableTime(filter.until) }),
  }
  const items: Task[] = []
  let next = cursor
  let examined = 0
  do {
    const room = limit - items.length
    const page = await main.query<Task>({
      ...listOf(tenant, filter),
      order: 'descending',
      limit: room,
      cursor: next,
      ...range,
    })
    items.push(...page.items.map(({ value }) => value).filter((task) => matches(filter, task)))
    next = page.cursor
    examined += room
  } while (next !== undefined && items.length < limit && examined < maxExamined)
  return { items, cursor: next }
}
