import type { OperationOf } from '#shared/contracts/operations.ts'
import type { RunStreamEvent } from '#shared/contracts/workflows.ts'
import { isOver, type Run } from '#shared/domain/workflows/run.ts'
import { lastRunEvent, runEventsAfter } from '#shared/domain/workflows/run-history.ts'
import { findRun, getRun, runKey } from '#shared/domain/workflows/run-store.ts'
import { undoNameOf } from '#shared/domain/workflows/workflow.ts'
import type { Platform, RunEvent, RunRef, Stored } from '#shared/platform/platform.ts'
import { iso, lastEventId, wantsStream } from '../../headers.ts'
import type { Context, Handler } from '../../operation.ts'
import { pacedStream } from '../../paced-stream.ts'

/** How far each of the machines of a run was told: its own, and the one that undoes. */
type Place = { run: number; undo: number }

const idShape = /^(\d{1,12})(?:\.(\d{1,9}))?$/

const parsePlace = (id: string | undefined): Place | undefined => {
  const [, run, undo] = idShape.exec(id ?? '') ?? []
  return run === undefined ? undefined : { run: Number(run), undo: Number(undo ?? 0) }
}
const idOf = ({ run, undo }: Place): string => (undo > 0 ? `${run}.${undo}` : String(run))

const stateEvent = (run: Run, place: Place): RunStreamEvent => {
  const { state, error, cause, startedAt, finishedAt } = run
  const data = { state, ...(error !== undefined && { error }), ...(cause !== undefined && { cause }) }
  return { id: idOf(place), type: 'run.state', time: iso(finishedAt ?? startedAt), data }
}
const historyEvent = ({ at, ...event }: RunEvent, id: string): RunStreamEvent => ({
  id,
  type: 'run.history',
  time: iso(at),
  data: event,
})

type Waiting = { ms: number; signal?: AbortSignal }

/** A run that is undone, or was, has a second machine, which begins when the first has ended. */
const isUndone = ({ state, undone }: Run): boolean => state === 'COMPENSATING' || undone !== undefined

const undoOf = ({ tenant, workflow, id }: Run): RunRef => ({ tenant, workflow: undoNameOf(workflow), run: id })
const readers = {
  run: runEventsAfter,
  undo: ({ workflows }: Platform, run: Run, after: number, waiting: Waiting) =>
    workflows.eventsAfter(undoOf(run), after, waiting),
}
const lastEvents = {
  run: lastRunEvent,
  undo: async ({ workflows }: Platform, run: Run) =>
    (await workflows.history(undoOf(run), { limit: 1, order: 'descending' })).events[0]?.id ?? 0,
}

/** The next transitions behind a place, and the place behind them. Only the machine that is under way is waited for. */
const readOn = async ({ platform }: Context, run: Run, place: Place, { ms, signal }: Waiting) => {
  const read = async (machine: keyof Place, wait: number) => {
    const events = await readers[machine](platform, run, place[machine], { ms: wait, signal })
    const placed = events.map((event) => ({ event, place: { ...place, [machine]: event.id } }))
    return {
      events: placed.map((one) => historyEvent(one.event, idOf(one.place))),
      place: placed.at(-1)?.place ?? place,
    }
  }
  const own = await read('run', isUndone(run) ? 0 : ms)
  return own.events.length > 0 || !isUndone(run) ? own : read('undo', ms)
}

/** The place; where a machine has not come to it, the end of what that has done by now. */
const reached = async ({ platform }: Context, run: Run, place: Place): Promise<Place> => {
  const reachedIn = async (machine: keyof Place): Promise<number> => {
    const event = place[machine]
    if (event === 0 || (await readers[machine](platform, run, event - 1, { ms: 0 })).length > 0) return event
    return lastEvents[machine](platform, run)
  }
  return { run: await reachedIn('run'), undo: isUndone(run) ? await reachedIn('undo') : 0 }
}

const commentMs = 15_000
const encoder = new TextEncoder()
const toFrames = (events: RunStreamEvent[]): Uint8Array =>
  encoder.encode(events.map((one) => `id: ${one.id}\nevent: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`).join(''))
const hint = encoder.encode('retry: 1000\n\n')
const comment = encoder.encode(': still here\n\n')

/** Transitions as they come, and each state that the run is in, until it is over or the host's patience is. */
async function* frames(
  context: Context,
  start: Stored<Run>,
  from: Place,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { platform, settings } = context
  const until = platform.clock.now() + settings.streamSeconds * 1000
  const key = runKey(start.value.tenant, start.value.id)
  const patience = (): number => Math.min(commentMs, Math.max(0, until - platform.clock.now()))
  const waitForChange = (head: Stored<Run>) =>
    platform.main.waitForChange<Run>(key, head.rev, patience()).then((next) => ({ next }))
  let [head, place, told]: [Stored<Run>, Place, string] = [start, from, '']
  let changing: ReturnType<typeof waitForChange> | undefined
  yield hint
  while (!signal.aborted) {
    if (told !== head.value.state && !isOver(head.value)) {
      told = head.value.state
      yield toFrames([stateEvent(head.value, place)])
    }
    const behind = await readOn(context, head.value, place, { ms: 0 })
    place = behind.place
    if (behind.events.length > 0) {
      yield toFrames(behind.events)
      continue
    }
    if (isOver(head.value)) return yield toFrames([stateEvent(head.value, place)])
    if (platform.clock.now() >= until) return
    changing ??= waitForChange(head)
    const leaving = new AbortController()
    const either = AbortSignal.any([signal, leaving.signal])
    const more = readOn(context, head.value, place, { ms: patience(), signal: either })
    const first = await Promise.race([changing, more])
    leaving.abort()
    if ('next' in first) {
      changing = undefined
      if (first.next === undefined) return
      if (first.next.rev === head.rev) yield comment
      head = first.next
    } else if (first.events.length > 0) {
      place = first.place
      yield toFrames(first.events)
    }
    await more.catch(() => undefined)
  }
}

/** Server-sent events where the client accepts them, else the events that there are now. */
export const answerRunEvents: Handler<OperationOf<'followRun'>> = async (
  context,
  { caller, params, query, headers, signal },
) => {
  const found = await getRun(context.platform, caller.tenant, params.run ?? '')
  const seen = parsePlace(lastEventId(headers, idShape)) ?? parsePlace(query.after) ?? { run: 0, undo: 0 }
  const from = await reached(context, found.value, seen)
  if (wantsStream(headers)) {
    const body = pacedStream(frames(context, found, from, signal))
    return new Response(body, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' } })
  }
  const { events, place } = await readOn(context, found.value, from, { ms: 0 })
  const last = events.at(-1)?.id
  const now = (await findRun(context.platform, caller.tenant, found.value.id)) ?? found
  const items = last === undefined ? [stateEvent(now.value, place)] : events
  return { status: 200, body: { items, nextCursor: last ?? null } }
}
