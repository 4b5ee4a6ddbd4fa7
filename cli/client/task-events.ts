import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskEvent, TaskResponse } from '#shared/contracts/tasks.ts'
import { CliError, exitCodes } from '../failure.ts'
import type { Client } from './client.ts'

const finished = new Set(['SUCCEEDED', 'FAILED', 'CANCELLED'])
export const isFinished = ({ status }: Pick<TaskResponse, 'status'>): boolean => finished.has(status)

/** The events of one server-sent-event stream. https://html.spec.whatwg.org/multipage/server-sent-events.html */
async function* readStream(body: ReadableStream<Uint8Array>): AsyncGenerator<TaskEvent> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    const frames = (rest + decoder.decode(chunk, { stream: true })).split('\n\n')
    rest = frames.pop() ?? ''
    for (const frame of frames) {
      const data = frame.split('\n').find((line) => line.startsWith('data: '))
      if (data) yield JSON.parse(data.slice('data: '.length)) as TaskEvent
    }
  }
}

const pauseMs = 500
const maxFailures = 20

/** Every event of a task from `after` on until its last one, over as many connections as it takes. */
export async function* followTask(
  client: Client,
  id: string,
  { after = 0, signal }: { after?: number; signal?: AbortSignal } = {},
): AsyncGenerator<TaskEvent> {
  let seq = after
  for (let failures = 0; ; ) {
    try {
      const headers = { accept: 'text/event-stream', 'last-event-id': String(seq) }
      const response = await client.open(`/tasks/${id}/events`, { headers, signal })
      if (!response.ok) await client.get(`/tasks/${id}`) // tells why, as an error
      for await (const event of response.body ? readStream(response.body) : []) {
        seq = event.seq
        failures = 0
        yield event
      }
    } catch (error) {
      const gone = error instanceof CliError && error.exitCode !== exitCodes.unreachable
      if (signal?.aborted || gone || ++failures > maxFailures) throw error
    }
    if (await isOver(client, id, seq)) return
    await sleep(pauseMs, undefined, { signal })
  }
}

/** The task has ended and its last event was seen. */
const isOver = async (client: Client, id: string, seq: number): Promise<boolean> => {
  try {
    const task = await client.get<TaskResponse>(`/tasks/${id}`)
    if (!isFinished(task)) return false
    const page = await client.get<{ items: TaskEvent[] }>(`/tasks/${id}/events?after=${seq}&limit=1`)
    return page.items.length === 0
  } catch (error) {
    if (error instanceof CliError && error.exitCode === exitCodes.unreachable) return false
    throw error
  }
}

/** Waits for the end of a task. */
export const waitForTask = async (client: Client, id: string, signal?: AbortSignal): Promise<TaskResponse> => {
  for await (const _ of followTask(client, id, { signal }));
  return client.get<TaskResponse>(`/tasks/${id}`)
}
