import type { ServerResponse } from 'node:http'
import { expect, it } from 'vitest'
import { followTask, readEvents } from '#cli/client/task-events.ts'
import type { TaskEvent } from '#shared/contracts/tasks.ts'
import { type Answer, aServer, json, problem } from './a-server.ts'

const event = (seq: number, status?: string): TaskEvent => ({
  seq,
  type: status ? 'task.state' : 'task.output',
  time: '2026-01-01T00:00:00.000Z',
  data: status ? { status } : { chunk: seq },
})
const frame = (one: TaskEvent): string => `id: ${one.seq}\nevent: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`

const stream = (response: ServerResponse, text: string): ServerResponse => {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write(text)
  return response
}

/** Tells streams of events, one after the other, and that the task still runs. */
const streams =
  (...answers: ((response: ServerResponse) => void)[]): Answer =>
  ({ url }, response) =>
    url.includes('/events') ? answers.shift()?.(response) : json(response, 200, { status: 'RUNNING' })

const collect = async (events: AsyncIterable<TaskEvent>): Promise<number[]> => {
  const seen: number[] = []
  for await (const { seq } of events) seen.push(seq)
  return seen
}
const asked = (requests: { url: string; headers: Record<string, unknown> }[]) =>
  requests.filter(({ url }) => url.includes('/events')).map(({ headers }) => headers['last-event-id'])

it('reads a stream to the last event and asks no more', async () => {
  const text = `retry: 1000\n\n: still here\n\n${frame(event(1, 'QUEUED'))}${frame(event(2, 'FAILED'))}`
  await using server = await aServer(streams((response) => stream(response, text)))
  expect(await collect(followTask(server.client, 'tsk_1'))).toEqual([1, 2])
  expect(server.requests).toHaveLength(1)
})

it('goes on where a broken stream ended, without a gap and without repetition', async () => {
  await using server = await aServer(
    streams(
      (response) => {
        stream(response, frame(event(1)) + frame(event(2)))
        setTimeout(() => response.destroy(), 50) // what was written has left by then
      },
      (response) => void stream(response, frame(event(3))).end(),
      (response) => void response.destroy(),
      (response) => stream(response, frame(event(4, 'SUCCEEDED'))),
    ),
  )
  const lost: string[] = []
  const onLost = (error: Error): void => void lost.push(error.message)
  expect(await collect(followTask(server.client, 'tsk_1', { onLost }))).toEqual([1, 2, 3, 4])
  expect(asked(server.requests).at(-1)).toBe('3')
  expect(lost.length).toBeGreaterThan(0)
})

it('puts together what arrives in pieces, in whatever line ends', async () => {
  const bytes = Buffer.from(frame({ ...event(1), data: { chunk: 'größer' } }).replaceAll('\n', '\r\n'))
  const cut = bytes.indexOf('ö') + 1
  await using server = await aServer(
    streams((response) => {
      stream(response, '').write(bytes.subarray(0, cut))
      setTimeout(() => response.write(bytes.subarray(cut)), 20)
      setTimeout(() => response.end(frame(event(2, 'SUCCEEDED'))), 40)
    }),
  )
  const seen: TaskEvent[] = []
  for await (const one of followTask(server.client, 'tsk_1')) seen.push(one)
  expect(seen[0]?.data).toEqual({ chunk: 'größer' })
})

it('asks for page after page where a host cannot stream', async () => {
  const all = [event(1, 'QUEUED'), event(2), event(3), event(4, 'CANCELLED')]
  await using server = await aServer(({ url, headers }, response) => {
    const after = Number(headers['last-event-id'] ?? 0)
    if (url.includes('/events')) json(response, 200, { items: all.slice(after, after + 2), nextCursor: 'x' })
    else json(response, 200, { status: 'CANCELLED' })
  })
  expect(await collect(followTask(server.client, 'tsk_1'))).toEqual([1, 2, 3, 4])
})

it('ends when the last event was seen before', async () => {
  await using server = await aServer(({ url }, response) =>
    url.includes('/events')
      ? json(response, 200, { items: [], nextCursor: null })
      : json(response, 200, { status: 'FAILED' }),
  )
  expect(await collect(followTask(server.client, 'tsk_1', { after: 9 }))).toEqual([])
  expect(asked(server.requests)[0]).toBe('9')
})

it('tells a refusal, and that nobody was ever there, instead of waiting', async () => {
  await using server = await aServer((_, response) => problem(response, 404, 'NOT_FOUND'))
  await expect(collect(followTask(server.client, 'tsk_1'))).rejects.toMatchObject({ exitCode: 4 })
  expect(server.requests).toHaveLength(1)
  await using gone = await aServer((_, response) => void response.destroy())
  await expect(collect(followTask(gone.client, 'tsk_1'))).rejects.toMatchObject({ exitCode: 6 })
})

it('stops when it is told to, in the middle of a stream', async () => {
  const stopping = new AbortController()
  await using server = await aServer(streams((response) => stream(response, frame(event(1)))))
  const seen: number[] = []
  const follow = async (): Promise<void> => {
    for await (const { seq } of followTask(server.client, 'tsk_1', { signal: stopping.signal })) {
      seen.push(seq)
      stopping.abort()
    }
  }
  await expect(follow()).rejects.toMatchObject({ name: 'AbortError' })
  expect(seen).toEqual([1])
})

it('reads all pages of what has happened', async () => {
  await using server = await aServer(({ url }, response) => {
    const cursor = Number(new URL(url, 'http://x').searchParams.get('cursor'))
    json(response, 200, { items: [event(cursor + 1)], nextCursor: cursor < 4 ? String(cursor + 1) : null })
  })
  expect((await readEvents(server.client, 'tsk_1', 2)).map(({ seq }) => seq)).toEqual([3, 4, 5])
})
