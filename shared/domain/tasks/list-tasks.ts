import type { Page, Platform, Query } from '../../platform/platform.ts'
import { sortableTime } from '../keys.ts'
import { hasLabel, type WantedLabel } from '../wanted-label.ts'
import { capabilityOf, type Priority, runOfTask, type Task, type TaskStatus } from './task.ts'
import { childrenPk, runTasksPk, taskListPk } from './task-store.ts'

export type TaskFilter = {
  status?: TaskStatus
  /** Name or id. */
  agent?: string
  capability?: string
  priority?: Priority
  labels: WantedLabel[]
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
    filter.capability === undefined || capabilityOf(task) === filter.capability,
    filter.priority === undefined || task.priority === filter.priority,
    filter.parent === undefined || task.parent === filter.parent,
    filter.workflowRun === undefined || runOfTask(task) === filter.workflowRun,
    filter.labels.every((wanted) => hasLabel(task.labels, wanted)),
  ].every(Boolean)

/** So many tasks are looked at for one page; for one that would be empty, so many. A rare filter is never slow. */
const maxExamined = 2000
const maxExaminedForFirst = 10_000
const mostAtOnce = 500

/** Where the tasks of a filter are listed: both places sort by time. */
const listOf = (tenant: string, { parent, workflowRun }: TaskFilter): Pick<Query, 'index' | 'pk'> => {
  if (parent !== undefined) return { index: 'parent', pk: childrenPk(tenant, parent) }
  if (workflowRun !== undefined) return { index: 'parent', pk: runTasksPk(tenant, workflowRun) }
  return { index: 'list', pk: taskListPk(tenant) }
}

type Part = { items: Task[]; cursor?: string }
type Read = (options: { limit: number; cursor?: string }) => Promise<Page<Task>>

/**
 * The next tasks that match among the next `size`, at most `room` of them. Where more do, it reads again up to the last
 * one that there is room for, since only the end of a page can be gone on from.
 */
const readPart = async (
  read: Read,
  isWanted: (task: Task) => boolean,
  { cursor, size, room }: { cursor?: string; size: number; room: number },
): Promise<Part> => {
  const take = async (limit: number): Promise<Part & { all: Task[] }> => {
    const page = await read({ limit, cursor })
    const all = page.items.map(({ value }) => value)
    return { all, items: all.filter(isWanted), cursor: page.cursor }
  }
  const wide = await take(size)
  if (wide.items.length <= room) return wide
  const exact = await take(wide.all.indexOf(wide.items[room - 1] as Task) + 1)
  return exact.items.length <= room ? exact : take(room) // something came in between
}

/**
 * Newest first. A page is short, or even empty with a cursor, when few of many tasks match: it looks on for a first one,
 * but not for ever.
 */
export const listTasks = async (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  { filter, limit, cursor }: { filter: TaskFilter; limit: number; cursor?: string },
): Promise<Part> => {
  const range = {
    ...(filter.since !== undefined && { after: sortableTime(filter.since) }),
    ...(filter.until !== undefined && { before: sortableTime(filter.until) }),
  }
  const read: Read = (part) => main.query<Task>({ ...listOf(tenant, filter), order: 'descending', ...range, ...part })
  const items: Task[] = []
  let next = cursor
  let examined = 0
  for (let size = limit; ; size = Math.min(size * 2, mostAtOnce)) {
    const part = await readPart(read, (task) => matches(filter, task), {
      cursor: next,
      size,
      room: limit - items.length,
    })
    items.push(...part.items)
    next = part.cursor
    examined += size
    const most = items.length === 0 ? maxExaminedForFirst : maxExamined
    if (next === undefined || items.length >= limit || examined >= most) return { items, cursor: next }
  }
}
