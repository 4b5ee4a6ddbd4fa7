import { setTimeout as sleep } from 'node:timers/promises'
import { EventSourceParserStream } from 'eventsource-parser/stream'
import type { TaskEvent, TaskResponse } from '#shared/contracts/tasks.ts'
import { type Client, isPassing } from './client.ts'
import { toUnreachable, UnreachableError } from './errors.ts'

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

/** A living stream has at least a comment every 15 s. */
const silenceMs = 45_000
const pauseMs = 500
const patienceMs = 60_000

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
      for await (const event of openEvents(client, id, { after: seq, signal, onOpen: outage.end })) {
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

/** How long a server that once answered may be away. */
const createOutage = (onLost?: (error: Error) => void) => {
  let everOpen = false
  let since: number | undefined
  return {
    end() {
      everOpen = true
      since = undefined
    },
    mayGoOn(error: Error): boolean {
      if (everOpen && since === undefined) onLost?.(error)
      since ??= Date.now()
      return everOpen && Date.now() - since < patienceMs
    },
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

type OpenOptions = { after: number; signal?: AbortSignal; onOpen: () => void }

/** One connection: a stream of server-sent events, or what a host that cannot stream answers: a page. */
async function* openEvents(client: Client, id: string, { after, signal, onOpen }: OpenOptions) {
  const silence = new AbortController()
  const timer = setTimeout(() => silence.abort(new UnreachableError(`no more events from ${client.url}`)), silenceMs)
  try {
    const response = await client.open(`${pathOf(id)}/events?limit=200`, {
      headers: { accept: 'text/event-stream, application/json;q=0.5', 'last-event-id': String(after) },
      signal: signal ? AbortSignal.any([signal, silence.signal]) : silence.signal,
    })
    onOpen()
    if (!response.headers.get('content-type')?.includes('text/event-stream'))
      yield* ((await response.json()) as EventPage).items
    else if (response.body) yield* parseStream(response.body, () => timer.refresh())
  } catch (error) {
    throw !signal?.aborted && isBroken(error) ? toUnreachable(error, client.url) : error
  } finally {
    clearTimeout(timer)
    silence.abort()
  }
}

/** What `fetch` throws when a body ends before its end. */
const isBroken = (error: unknown): boolean => error instanceof TypeError && error.cause !== undefined

async function* parseStream(body: ReadableStream<Uint8Array>, onLife: () => void): AsyncGenerator<TaskEvent> {
  const alive = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      onLife()
      controller.enqueue(chunk)
    },
  })
  const frames = body
    .pipeThrough(alive)
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .pipeThrough(new EventSourceParserStream())
  for await (const { data } of frames) yield JSON.parse(data) as TaskEvent
}

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
