import type { OperationOf } from '#shared/contracts/operations.ts'
import type { TaskEvent as TaskEventResponse } from '#shared/contracts/tasks.ts'
import { invalid } from '#shared/domain/domain-error.ts'
import type { Task } from '#shared/domain/tasks/task.ts'
import { isLast, readEvents, type TaskEvent } from '#shared/domain/tasks/task-events.ts'
import { findTask, getTask, taskKey } from '#shared/domain/tasks/task-store.ts'
import type { Platform, Stored } from '#shared/platform/platform.ts'
import { iso, lastEventId, wantsStream } from '../../headers.ts'
import type { Context, Handler } from '../../operation.ts'
import { pacedStream } from '../../paced-stream.ts'
import { sharedFrames } from '../../shared-frames.ts'

const toEvent = ({ time, ...event }: TaskEvent): TaskEventResponse => ({ ...event, time: iso(time) })

/** A JSON page, or server-sent events when the client accepts them. */
export const answerEvents: Handler<OperationOf<'listTaskEvents'>> = async (
  context,
  { caller, params, query, headers, signal },
) => {
  const start = await getTask(context.platform, caller.tenant, params.task ?? '')
  const after = lastSeen(headers, start.value) ?? Math.max(query.after, cursorSeq(query.cursor))
  if (wantsStream(headers)) return streamEvents(context, start, after, signal)
  const events = await readEvents(context.platform, { task: start.value, after, limit: query.limit })
  const last = events.at(-1)?.seq
  const more = last !== undefined && events.length === query.limit && last < start.value.seq
  return { status: 200, body: { items: events.map(toEvent), nextCursor: more ? String(last) : null } }
}

/** Who was told more than there is now goes on at the end. */
const lastSeen = (headers: Headers, { seq }: Task): number | undefined => {
  const id = lastEventId(headers, /^\d{1,9}$/)
  return id === undefined ? undefined : Math.min(Number(id), seq)
}

const cursorSeq = (cursor: string | undefined): number => {
  if (cursor === undefined) return 0
  if (!/^\d{1,9}$/.test(cursor)) throw invalid('#/query/cursor', 'INVALID', 'the cursor is not one of this list')
  return Number(cursor)
}

const commentMs = 15_000
const encoder = new TextEncoder()
const hint = encoder.encode('retry: 1000\n\n')
const comment = encoder.encode(': still here\n\n')

/** Every event after `after`, until the task's last one, the end of the host's patience, or the client's leave. */
async function* frames(
  { platform, settings }: Context,
  start: Stored<Task>,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const until = platform.clock.now() + settings.streamSeconds * 1000
  const shared = sharedFrames(platform)
  let head: Stored<Task> | undefined = start
  let [seq, size, behind]: [number, number | undefined, number] = [after, undefined, 0]
  yield hint
  while (head && !signal.aborted) {
    const page = await shared.read(head, seq, size)
    seq = page.seq
    size = page.bytes?.length ?? size
    if (page.bytes) yield page.bytes
    if (isLast(head.value, seq) || platform.clock.now() >= until) return
    const more = seq < head.value.seq
    if (more && page.bytes) continue
    behind = more ? behind + 1 : 0
    const next = await nextHead(platform, head, behind, until)
    if (next.idle) yield comment
    head = next.head
  }
}

/** The head once it changed; while the projector is behind it (for so many looks), a moment later, then later. */
const nextHead = async (platform: Platform, head: Stored<Task>, behind: number, until: number) => {
  const { tenant, id } = head.value
  const patience = Math.min(
    behind > 0 ? Math.min(10 * 2 ** (behind - 1), 1000) : commentMs,
    Math.max(0, until - platform.clock.now()),
  )
  if (behind > 0) {
    await platform.clock.sleep(patience)
    return { head: await findTask(platform, tenant, id), idle: false }
  }
  const next = await platform.main.waitForChange<Task>(taskKey(tenant, id), head.rev, patience)
  return { head: next, idle: next?.rev === head.rev }
}

const streamEvents = (context: Context, start: Stored<Task>, after: number, signal: AbortSignal): Response => {
  const body = pacedStream(frames(context, start, after, signal))
  return new Response(body, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' } })
}
