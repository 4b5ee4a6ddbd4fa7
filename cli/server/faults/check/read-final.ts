import { setTimeout as sleep } from 'node:timers/promises'
import type { BatchResponse } from '#shared/contracts/batches.ts'
import type { AttemptResponse, TaskResponse } from '#shared/contracts/tasks.ts'
import type { Client } from '../../../client/client.ts'
import { listAll } from '../../../client/list-all.ts'
import { CliError, exitCodes } from '../../../failure.ts'
import { isTerminal } from './check-task.ts'
import type { FinalBatch, FinalCauses, FinalTask } from './history.ts'
import { listBatches, readBatch } from './read-batches.ts'
import { readCauses } from './read-causes.ts'
import { allWait, waits } from './waits.ts'

type Event = { seq: number; type: string; data: { status: string; from?: string } }

const pageSize = 200
const atOnce = 16
const lookEveryMs = 250

type Resting = { tasks: TaskResponse[]; batches: BatchResponse[] }

/** A batch has more to submit unless it has ended, or a task of it waits. */
const isAtRest = async (client: Client, { tasks, batches }: Resting): Promise<boolean> => {
  const open = tasks.filter(({ status }) => !isTerminal(status))
  const waiting = new Set(open.map(({ batch }) => batch))
  return batches.every(({ id, state }) => state !== 'RUNNING' || waiting.has(id)) && allWait(client, open)
}

/** All tasks and batches, as soon as each has ended or has a reason to wait, or after so many seconds. */
const atRest = async (client: Client, patienceSeconds: number): Promise<Resting> => {
  const until = Date.now() + patienceSeconds * 1000
  for (;;) {
    const batches = await listBatches(client) // before its tasks: those of an ended one are all there
    const found = { batches, tasks: await listAll<TaskResponse>(client, '/tasks') }
    if (Date.now() > until || (await isAtRest(client, found))) return found
    await sleep(lookEveryMs)
  }
}

const eventsOf = async (client: Client, id: string): Promise<Event[]> => {
  const events: Event[] = []
  for (;;) {
    const { items } = await client.get<{ items: Event[] }>(
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
  const [events, attempts, isWaiting] = await Promise.all([
    eventsOf(client, task.id),
    listAll<AttemptResponse>(client, `/tasks/${task.id}/attempts`),
    waits(client, task),
  ])
  return {
    id: task.id,
    status: task.status,
    derived: isDerived(task),
    batch: task.batch,
    ofTopic: task.hops !== undefined,
    schedule: task.schedule,
    waits: isWaiting,
    states: events
      .filter(({ type }) => type === 'task.state')
      .map(({ seq, data }) => ({ seq, from: data.from, to: data.status })),
    seqs: events.map(({ seq }) => seq),
    attempts: attempts.map(({ fence, instance, outcome }) => ({ fence, instance, outcome })),
  }
}

/** Tasks that something says that it made since the list was read. */
const readNewer = async (client: Client, { told }: FinalCauses, tasks: FinalTask[]): Promise<FinalTask[]> => {
  const known = new Set(tasks.map(({ id }) => id))
  const newer: FinalTask[] = []
  for (const task of new Set(told.map((one) => one.task)))
    if (!known.has(task)) {
      const found = await orMissing(client.get<TaskResponse>(`/tasks/${task}`))
      if (found) newer.push(await readOne(client, found))
    }
  return newer
}

const orMissing = <T>(asking: Promise<T>): Promise<T | undefined> =>
  asking.catch((error: unknown) => {
    if (error instanceof CliError && error.exitCode === exitCodes.notFound) return undefined
    throw error
  })

type Final = { tasks: FinalTask[]; batches: FinalBatch[]; causes: FinalCauses }
type FinalOptions = {
  patienceSeconds: number
  /** The object that a batch is made from. */
  rowsOf: Map<string, string>
  /** The id of the task that a match becomes. */
  matchTaskOf: (match: string) => string
}

/** What a server has now of all its tasks and batches, and of what else makes tasks. */
export const readFinal = async (
  client: Client,
  { patienceSeconds, rowsOf, matchTaskOf }: FinalOptions,
): Promise<Final> => {
  const { tasks: waiting, batches } = await atRest(client, patienceSeconds)
  const tasks: FinalTask[] = []
  const take = async (): Promise<void> => {
    for (let task = waiting.pop(); task; task = waiting.pop()) tasks.push(await readOne(client, task))
  }
  await Promise.all(Array.from({ length: atOnce }, take))
  const read = await Promise.all(batches.map((batch) => readBatch(client, batch, rowsOf.get(batch.id))))
  const causes = await readCauses(client, matchTaskOf)
  return { tasks: [...tasks, ...(await readNewer(client, causes, tasks))], batches: read, causes }
}
