import { setTimeout as sleep } from 'node:timers/promises'
import type { BatchResponse } from '#shared/contracts/batches.ts'
import type { AttemptResponse, TaskResponse } from '#shared/contracts/tasks.ts'
import type { Client } from '../../../client/client.ts'
import { isTerminal } from './check-task.ts'
import type { FinalBatch, FinalTask } from './history.ts'
import { listAll } from './list-all.ts'
import { listBatches, readBatch } from './read-batches.ts'

type Page<T> = { items: T[]; nextCursor: string | null }
type Event = { seq: number; type: string; data: { status: string; from?: string } }

const pageSize = 200
const atOnce = 16
const lookEveryMs = 250

/** Something says that it waits, and for what. */
const waits = ({ blockedBy, runAt, status }: TaskResponse): boolean =>
  blockedBy !== undefined ||
  status === 'WAITING' ||
  (status === 'SCHEDULED' && runAt !== undefined && Date.parse(runAt) > Date.now())

type Resting = { tasks: TaskResponse[]; batches: BatchResponse[] }

/** A batch has more to submit unless it has ended, or a task of it waits. */
const isAtRest = ({ tasks, batches }: Resting): boolean => {
  const waiting = new Set(tasks.filter(({ status }) => !isTerminal(status)).map(({ batch }) => batch))
  return (
    tasks.every((task) => isTerminal(task.status) || waits(task)) &&
    batches.every(({ id, state }) => state !== 'RUNNING' || waiting.has(id))
  )
}

/** All tasks and batches, as soon as each has ended or has a reason to wait, or after so many seconds. */
const atRest = async (client: Client, patienceSeconds: number): Promise<Resting> => {
  const until = Date.now() + patienceSeconds * 1000
  for (;;) {
    const batches = await listBatches(client) // before its tasks: those of an ended one are all there
    const found = { batches, tasks: await listAll<TaskResponse>(client, '/tasks') }
    if (Date.now() > until || isAtRest(found)) return found
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

/** The platform made it by itself: of another task, a batch, a schedule, a run, or a message with a handler. */
const isDerived = ({ parent, batch, schedule, workflowRun, capability }: TaskResponse): boolean =>
  [parent, batch, schedule, workflowRun].some((one) => one !== undefined) || capability?.startsWith('message:') === true

const readOne = async (client: Client, task: TaskResponse): Promise<FinalTask> => {
  const [events, attempts] = await Promise.all([
    eventsOf(client, task.id),
    client.get<Page<AttemptResponse>>(`/tasks/${task.id}/attempts`),
  ])
  return {
    id: task.id,
    status: task.status,
    derived: isDerived(task),
    batch: task.batch,
    waits: waits(task),
    states: events
      .filter(({ type }) => type === 'task.state')
      .map(({ seq, data }) => ({ seq, from: data.from, to: data.status })),
    seqs: events.map(({ seq }) => seq),
    attempts: attempts.items.map(({ fence, instance, outcome }) => ({ fence, instance, outcome })),
  }
}

/** What a server has now of all its tasks and batches; `rowsOf` tells the object that a batch is made from. */
export const readFinal = async (
  client: Client,
  { patienceSeconds, rowsOf }: { patienceSeconds: number; rowsOf: Map<string, string> },
): Promise<{ tasks: FinalTask[]; batches: FinalBatch[] }> => {
  const { tasks: waiting, batches } = await atRest(client, patienceSeconds)
  const tasks: FinalTask[] = []
  const take = async (): Promise<void> => {
    for (let task = waiting.pop(); task; task = waiting.pop()) tasks.push(await readOne(client, task))
  }
  await Promise.all(Array.from({ length: atOnce }, take))
  const read = batches.map((batch) => readBatch(client, batch, rowsOf.get(batch.id)))
  return { tasks, batches: await Promise.all(read) }
}
