import type { Platform, RunEvent, RunEventPage } from '../../platform/platform.ts'
import { DomainError } from '../domain-error.ts'
import type { Run } from './run.ts'
import { machineOf } from './run-legs.ts'

type Ports = Pick<Platform, 'workflows'>

/** Each execution counts its events from 1: those of a leg follow at a number that the one before cannot reach. */
const stride = 100_000

const numbered =
  (leg: number) =>
  ({ id, previous, ...event }: RunEvent): RunEvent => ({
    ...event,
    id: leg * stride + id,
    previous: previous === 0 ? 0 : leg * stride + previous,
  })

const parseCursor = (cursor: string): { leg: number; inner?: string } => {
  const [, leg, inner] = /^(\d{1,6})\.(.*)$/s.exec(cursor) ?? []
  if (leg === undefined) throw new DomainError('INVALID', 'the cursor is not one of this history')
  return { leg: Number(leg), ...(inner && { inner }) }
}

/** What happened in a run, oldest first, over all of its legs; a page ends with its leg. */
export const readRunHistory = async (
  { workflows }: Ports,
  run: Run,
  { limit, cursor = '0.' }: { limit?: number; cursor?: string },
): Promise<RunEventPage> => {
  const { leg, inner } = parseCursor(cursor)
  const page = await workflows.history(machineOf(run, leg), { limit, cursor: inner })
  const isLast = leg >= (run.leg ?? 0)
  const next = page.cursor === undefined ? `${leg + 1}.` : `${leg}.${page.cursor}`
  return {
    events: page.events.map(numbered(leg)),
    ...((page.cursor !== undefined || !isLast) && { cursor: next }),
  }
}

type Waiting = { ms: number; signal?: AbortSignal }

/** The next events of a run behind a number, oldest first; only the execution that it is in is waited for. */
export const runEventsAfter = async (
  { workflows }: Ports,
  run: Run,
  after: number,
  { ms, signal }: Waiting,
): Promise<RunEvent[]> => {
  const { leg: last = 0 } = run
  for (let leg = Math.floor(after / stride); leg <= last; leg++) {
    const seen = Math.max(0, after - leg * stride)
    const wait = leg === last ? ms : 0
    const events = await workflows.eventsAfter(machineOf(run, leg), seen, { ms: wait, signal })
    if (events.length > 0) return events.map(numbered(leg))
  }
  return []
}

/** The number of the last event of a run until now; 0: nothing has happened. */
export const lastRunEvent = async ({ workflows }: Ports, run: Run): Promise<number> => {
  const { leg = 0 } = run
  const [last] = (await workflows.history(machineOf(run), { limit: 1, order: 'descending' })).events
  return leg * stride + (last?.id ?? 0)
}
