import type { TaskResponse } from '#shared/contracts/tasks.ts'
import type { Client } from '../client/client.ts'
import { toQuery } from '../client/query.ts'
import { note, noteMore, printJson, printTable } from '../render/print.ts'
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
  const asked = { status, agent, capability, priority, label: label?.join(','), limit, cursor }
  await printTasks(client, '/tasks', asked, json)
}

/** What a task called, as a table. */
export const listChildren = async (
  client: Client,
  id: string,
  { limit, cursor, json }: Pick<ListTasksOptions, 'limit' | 'cursor' | 'json'>,
): Promise<void> => printTasks(client, `/tasks/${encodeURIComponent(id)}/children`, { limit, cursor }, json)

type Page = { items: TaskResponse[]; nextCursor: string | null }
type Asked = Omit<ListTasksOptions, 'label' | 'json'> & { label?: string }

/** The first page with something on it: where few of many tasks match, those before it are empty. */
const firstPage = async (client: Client, path: string, asked: Asked): Promise<Page> => {
  for (let cursor = asked.cursor; ; ) {
    const page = await client.get<Page>(`${path}${toQuery({ ...asked, cursor })}`)
    if (page.items.length > 0 || page.nextCursor === null) return page
    cursor = page.nextCursor
  }
}

const printTasks = async (client: Client, path: string, asked: Asked, json: boolean | undefined): Promise<void> => {
  const page = await firstPage(client, path, asked)
  if (json) return printJson(page)
  printTable(columns, page.items.map(toRow), 'no tasks')
  if (page.nextCursor === null) return
  if (page.items.length >= asked.limit) noteMore(page)
  else note(`there may be more further back: repeat it with --cursor ${page.nextCursor}`)
}
