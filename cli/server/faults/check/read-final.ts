import { setTimeout as sleep } from 'node:timers/promises'
import type { AttemptResponse, TaskResponse } from '#shared/contracts/tasks.ts'
import type { Client } from '../../../client/client.ts'
import { isTerminal } from './check-task.ts'
import type { FinalTask } from './history.ts'

type Page<T> = { items: T[]; nextCursor: string | null }
type Event = { seq: number; type: string; data: { status: string; from?: string } }

const pageSize = 200
const atOnce = 16
const lookEveryMs = 250

const listTasks = async (client: Client): Promise<TaskResponse[]> => {
  const tasks: TaskResponse[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Page<TaskResponse> = await client.get(
      `/tasks?limit=${pageSize}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
    )
    tasks.push(...page.items)
    cursor = page.nextCursor
  }
  return tasks
}

/** Something says that it waits, and for what. */
const waits = ({ blockedBy, runAt, status }: TaskResponse): boolean =>
  blockedBy !== undefined ||
  status === 'WAITING' ||
  (status === 'SCHEDULED' && runAt !== undefined && Date.parse(runAt) > Date.now())

/** All tasks, as soon as each has ended or has a reason to wait, or after so many seconds. */
const restingTasks = async (client: Client, patienceSeconds: number): Promise<TaskResponse[]> => {
  const until = Date.now() + patienceSeconds * 1000
  for (;;) {
    const tasks = await listTasks(client)
    if (Date.now() > until || tasks.every((task) => isTerminal(task.status) || waits(task))) return tasks
    await sleep(lookEveryMs)
  }
}

const eventsOf = async (client: Client, id: string): Promise<Event[]> => {
  const events: Event[] = []
  for (;;) {
    const { items } = await client.get<Page<Event>>(
      `/tasks/${id}/events?after=${events.at(-1)?.seq ?? 0}&limit=${pageSize}`,
    )
    if (items.length === 0) return events
    events.push(...items)
  }
}

const readOne = async (client: Client, task: TaskResponse): Promise<FinalTask> => {
  const [events, attempts] = await Promise.all([
    eventsOf(client, task.id),
    client.get<Page<AttemptResponse>>(`/tasks/${task.id}/attempts`),
  ])
  return {
    id: task.id,
    status: task.status,
    derived: task.parent !== undefined || task.batch !== undefined,
    waits: waits(task),
    states: events
      .filter(({ type }) => type === 'task.state')
      .map(({ seq, data }) => ({ seq, from: data.from, to: data.status })),
    seqs: events.map(({ seq }) => seq),
    attempts: attempts.items.map(({ fence, instance, outcome }) => ({ fence, instance, outcome })),
  }
}

/** What a server has now of all its tasks. */
export const readFinal = async (client: Client, patienceSeconds: number): Promise<FinalTask[]> => {
  const waiting = await restingTasks(client, patienceSeconds)
  const read: FinalTask[] = []
  const take = async (): Promise<void> => {
    for (let task = waiting.pop(); task; task = waiting.pop()) read.push(await readOne(client, task))
  }
  await Promise.all(Array.from({ length: atOnce }, take))
  return read
}
