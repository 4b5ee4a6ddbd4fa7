import { setTimeout as sleep } from 'node:timers/promises'
import {
  type ClientFrame,
  type ServerFrame,
  serverFrameSchema,
  type TicketResponse,
} from '#shared/contracts/realtime.ts'
import { CliError, exitCodes } from '../failure.ts'
import { type Client, isPassing } from './client.ts'
import { UnreachableError } from './errors.ts'

export type Wish = Omit<Extract<ClientFrame, { type: 'subscribe' }>, 'type' | 'since' | 'ref'>

export type WatchOptions = {
  signal?: AbortSignal
  /** Told once an outage: it is tried again. */
  onLost?: (error: Error) => void
}

/** Many clients that lost their server at once do not come back at once. */
const pause = { firstMs: 500, mostMs: 15_000 }
const pauseAfter = (failures: number): number => Math.random() * Math.min(pause.firstMs * 2 ** failures, pause.mostMs)
/** A connection on which nothing is said for ten minutes is closed. */
const pingMs = 240_000

/** What changes of a topic, over as many connections as it takes; `resync` when something may have been missed. */
export async function* watchChanges(
  client: Client,
  wish: Wish,
  { signal, onLost }: WatchOptions = {},
): AsyncGenerator<ServerFrame> {
  let since: string | undefined
  for (let failures = 0; ; failures++) {
    try {
      const { url } = await client.request<TicketResponse>('POST', '/ws/ticket', { body: {}, signal })
      for await (const frame of openSocket(url, { type: 'subscribe', ...wish, ...(since && { since }) }, signal)) {
        if (frame.type === 'error') throw new CliError(frame.message, exitCodes.failed)
        since = placeOf(frame) ?? since
        failures = 0
        yield frame
      }
    } catch (error) {
      const isNew = since === undefined && failures === 0
      if (signal?.aborted || !isPassing(error) || isNew) throw error
      if (failures === 0) onLost?.(error as Error)
    }
    await sleep(pauseAfter(failures), undefined, { signal })
  }
}

/** What to go on after. */
const placeOf = (frame: ServerFrame): string | undefined =>
  'rev' in frame ? frame.rev : frame.type === 'message' ? frame.seq : undefined

/** Frames of one connection until it is closed by the server; no connection is an `UnreachableError`. */
async function* openSocket(url: string, first: ClientFrame, signal?: AbortSignal): AsyncGenerator<ServerFrame> {
  const socket = new WebSocket(url)
  const queue: ServerFrame[] = []
  let wake = (): void => undefined
  const state = { closed: false, opened: false }
  const end = (): void => {
    state.closed = true
    wake()
  }
  socket.onopen = () => {
    state.opened = true
    socket.send(JSON.stringify(first))
  }
  socket.onmessage = ({ data }) => {
    const parsed = serverFrameSchema.safeParse(JSON.parse(String(data)))
    if (parsed.success) queue.push(parsed.data) // kinds that are newer than this client are not for it
    wake()
  }
  socket.onclose = end
  socket.onerror = end
  signal?.addEventListener('abort', end, { once: true })
  const pings = setInterval(() => state.opened && socket.send(JSON.stringify({ type: 'ping' })), pingMs)
  try {
    while (!state.closed || queue.length > 0) {
      yield* queue.splice(0)
      if (state.closed) break
      if (queue.length > 0) continue // it came while the one before was looked at
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  } finally {
    clearInterval(pings)
    signal?.removeEventListener('abort', end)
    socket.close()
  }
  signal?.throwIfAborted()
  throw new UnreachableError(`the connection to ${new URL(url).host} ${state.opened ? 'was lost' : 'did not open'}`)
}
