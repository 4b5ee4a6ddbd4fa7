import { setTimeout as sleep } from 'node:timers/promises'
import type { RunStreamEvent } from '#shared/contracts/workflows.ts'
import { type Client, isPassing } from './client.ts'
import { createOutage, openEvents } from './event-stream.ts'

export type FollowOptions = {
  signal?: AbortSignal
  /** Told once an outage: it is tried again. */
  onLost?: (error: Error) => void
}

const over: unknown[] = ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED']
const isLast = ({ type, data }: RunStreamEvent): boolean => type === 'run.state' && over.includes(data.state)
const pauseMs = 500

/** Every event of a run until the state that it ends in, over as many connections as it takes. */
export async function* followRunEvents(
  client: Client,
  id: string,
  { signal, onLost }: FollowOptions,
): AsyncGenerator<RunStreamEvent> {
  const outage = createOutage(onLost)
  const path = `/runs/${encodeURIComponent(id)}/events`
  let after = '0'
  for (;;) {
    try {
      for await (const event of openEvents<RunStreamEvent>(client, path, { after, signal, onOpen: outage.end })) {
        after = event.id
        yield event
        if (isLast(event)) return
      }
    } catch (error) {
      if (signal?.aborted || !isPassing(error) || !outage.mayGoOn(error as Error)) throw error
    }
    await sleep(pauseMs, undefined, { signal })
  }
}
