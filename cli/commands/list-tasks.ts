import type { TaskResponse } from '#shared/contracts/tasks.ts'
import type { Client } from '../client/client.ts'
import { toQuery } from '../client/query.ts'
import { noteMore, printJson, printTable } from '../render/print.ts'
import type { Column } from '../render/table.ts'
import { remarkOf } from '../render/task.ts'
import { ago } from '../render/time.ts'

export type ListTasksOptions = {
  status?: string
  agent?: string
  capability?: string
  priority?: string
  label?: string[]
  limit: number
  cursor?: string
  json?: boolean
}

const columns: Column[] = [
  { title: 'TASK' },
  { title: 'STATUS' },
  { title: 'AGENT', cut: { at: 'end', least: 12 } },
  { title: 'CAPABILITY', cut: { at: 'end', least: 12 } },
  { title: 'ATTEMPT', align: 'right' },
  { title: 'AGE', align: 'right' },
  { title: 'REMARK', cut: { at: 'end', least: 16 } },
]

const toRow = (task: TaskResponse): string[] => [
  task.id,
  task.status,
  task.agent ?? '-',
  task.capability ?? '-',
  `${task.attempt}/${task.maxAttempts}`,
  ago(task.createdAt),
  remarkOf(task),
]

/** Tasks as a table. */
export const listTasks = async (client: Client, { label, json, ...filter }: ListTasksOptions): Promise<void> => {
  const { status, agent, capability, priority, limit, cursor } = filter
  const query = toQuery({ status, agent, capability, priority, label: label?.join(','), limit, cursor })
  await printTasks(client, `/tasks${query}`, json)
}

/** What a task called, as a table. */
export const listChildren = async (
  client: Client,
  id: string,
  { limit, cursor, json }: Pick<ListTasksOptions, 'limit' | 'cursor' | 'json'>,
): Promise<void> => printTasks(client, `/tasks/${encodeURIComponent(id)}/children${toQuery({ limit, cursor })}`, json)

const printTasks = async (client: Client, path: string, json: boolean | undefined): Promise<void> => {
  const page = await client.get<{ items: TaskResponse[]; nextCursor: string | null }>(path)
  if (json) return printJson(page)
  printTable(columns, page.items.map(toRow), 'no tasks')
  noteMore(page)
}
