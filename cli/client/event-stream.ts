import { EventSourceParserStream } from 'eventsource-parser/stream'
import type { Client } from './client.ts'
import { toUnreachable, UnreachableError } from './errors.ts'

/** A living stream has at least a comment every 15 s. */
const silenceMs = 45_000
const patienceMs = 60_000

/** How long a server that once answered may be away. */
export const createOutage = (onLost?: (error: Error) => void) => {
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

type OpenOptions = { after: string; signal?: AbortSignal; onOpen: () => void }

/** One connection: a stream of server-sent events, or what a host that cannot stream answers: a page. */
export async function* openEvents<T>(
  client: Client,
  path: string,
  { after, signal, onOpen }: OpenOptions,
): AsyncGenerator<T> {
  const silence = new AbortController()
  const timer = setTimeout(() => silence.abort(new UnreachableError(`no more events from ${client.url}`)), silenceMs)
  try {
    const response = await client.open(path, {
      headers: { accept: 'text/event-stream, application/json;q=0.5', 'last-event-id': after },
      signal: signal ? AbortSignal.any([signal, silence.signal]) : silence.signal,
    })
    onOpen()
    if (!response.headers.get('content-type')?.includes('text/event-stream'))
      yield* ((await response.json()) as { items: T[] }).items
    else if (response.body) yield* parseStream<T>(response.body, () => timer.refresh())
  } catch (error) {
    throw !signal?.aborted && isBroken(error) ? toUnreachable(error, client.url) : error
  } finally {
    clearTimeout(timer)
    silence.abort()
  }
}

/** What `fetch` throws when a body ends before its end. */
const isBroken = (error: unknown): boolean => error instanceof TypeError && error.cause !== undefined

async function* parseStream<T>(body: ReadableStream<Uint8Array>, onLife: () => void): AsyncGenerator<T> {
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
  for await (const { data } of frames) yield JSON.parse(data) as T
}
