import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskEvent, TaskResponse } from '#shared/contracts/tasks.ts'
import { type Client, isPassing } from './client.ts'
import { createOutage, openEvents } from './event-stream.ts'

const finished = new Set<unknown>(['SUCCEEDED', 'FAILED', 'CANCELLED'])
export const isFinished = ({ status }: Pick<TaskResponse, 'status'>): boolean => finished.has(status)
const isLast = ({ type, data }: TaskEvent): boolean => type === 'task.state' && finished.has(data.status)

export type FollowOptions = {
  /** The last event already seen. @default 0 */
  after?: number
  signal?: AbortSignal
  /** Told once an outage: it is tried again. */
  onLost?: (error: Error) => void
}

type EventPage = { items: TaskEvent[]; nextCursor: string | null }

const pauseMs = 500

/** Every event of a task after `after` until its last one, over as many connections as it takes. */
export async function* followTask(
  client: Client,
  id: string,
  { after = 0, signal, onLost }: FollowOptions = {},
): AsyncGenerator<TaskEvent> {
  const outage = createOutage(onLost)
  let seq = after
  for (;;) {
    const before = seq
    try {
      const place = { after: String(seq), signal, onOpen: outage.end }
      for await (const event of openEvents<TaskEvent>(client, `${pathOf(id)}/events?limit=200`, place)) {
        seq = event.seq
        yield event
        if (isLast(event)) return
      }
      if (seq > before) continue
      if (await isOver(client, id, { after: seq, signal })) return
    } catch (error) {
      if (signal?.aborted || !isPassing(error) || !outage.mayGoOn(error as Error)) throw error
    }
    await sleep(pauseMs, undefined, { signal })
  }
}

/** The events so far. */
export const readEvents = async (client: Client, id: string, after = 0): Promise<TaskEvent[]> => {
  const items: TaskEvent[] = []
  for (let cursor: string | null = String(after); cursor !== null; ) {
    const page: EventPage = await client.get(`${pathOf(id)}/events?limit=200&cursor=${encodeURIComponent(cursor)}`)
    items.push(...page.items)
    cursor = page.nextCursor
  }
  return items
}

const pathOf = (id: string): string => `/tasks/${encodeURIComponent(id)}`

/** The task has ended and its last event was seen. */
const isOver = async (
  client: Client,
  id: string,
  { after, signal }: { after: number; signal?: AbortSignal },
): Promise<boolean> => {
  const task = await client.get<TaskResponse>(pathOf(id), { signal })
  if (!isFinished(task)) return false
  const page = await client.get<EventPage>(`${pathOf(id)}/events?after=${after}&limit=1`, { signal })
  return page.items.length === 0
}
