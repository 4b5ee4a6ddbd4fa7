import type { Body } from '../bodies/body.ts'
import type { Principal, Stamp } from '../caller.ts'
import { addCounts, type Counts, countPage, doneOf, pageOf, pageRows, type RowPage } from './bitmap.ts'

/** Where rows come from: JSON lines of an object, steps of a range, or a list that a task makes first. */
export type Source =
  | { kind: 'object'; id: string; size: number }
  | { kind: 'range'; from: number; to: number; size: number }
  | { kind: 'split'; task: Body }

export type FanOutState = 'RUNNING' | 'SUCCEEDED' | 'PARTIAL' | 'FAILED' | 'CANCELLED'

/** When failures end it early: above `maxFailures`, or as soon as `quorum` is out of reach. */
export type Policy = { maxFailures?: number; quorum?: number; failFast?: boolean }

/**
 * Why no more rows are submitted; `cancelled` are the rows that were cancelled by then, not because of it, and `sweptAt` is
 * when those that run were last cancelled.
 */
export type Stopping = {
  reason: 'CANCELLED' | 'FAILURES' | 'PARENT'
  message: string
  cancelled?: number
  sweptAt?: number
}

/** What becomes of the results of a distributed task: a list, or the input of one more task. */
export type Join = { kind: 'list' } | { kind: 'task'; task: Body }

/** Many tasks from rows: a batch, or the shards of a distributed task. Times are milliseconds since the epoch. */
export type FanOut = {
  id: string
  tenant: string
  name?: string
  state: FanOutState
  source: Source
  /** Body of the submit of each row, whose input is the row; without it the row is the whole body. */
  template?: Body
  maxInFlight: number
  policy: Policy
  /** The next row, where it begins in its object, and whether there is none. */
  position: { row: number; byte: number; ended: boolean }
  /** No row from this one on can have been submitted. */
  claimed: number
  /** How many rows there are, as soon as that is known. */
  total?: number
  /** What became of the rows of closed pages. */
  closed: Counts
  /** Pages with rows that were submitted and are not all over. */
  open: number[]
  /** Closed pages whose failures are written down. */
  fragments: number[]
  stopping?: Stopping
  /** Who works on it, and until when nobody else does. */
  pass?: { by: string; until: number }
  /** When it was last made sure that no end was missed. */
  lookedAt: number
  /** The step of a run that waits for its end: its tasks are done for the run. */
  step?: { run: string; id: string; tolerated: number }
  /** The distributed task whose shards these are. */
  task?: string
  join?: Join
  /** The input that shards and join of a distributed task have in common. */
  common?: Body
  /** The part of a distributed task that has to end before anything else. */
  waitsFor?: { part: 'split' | 'join'; task: string }
  /** Percent as last told by the distributed task. */
  shown?: number
  report?: string
  dueAt?: number
  createdAt: number
  finishedAt?: number
  submitted: string
  by: Principal
  stamp: Stamp
}

export const isOver = ({ state }: Pick<FanOut, 'state'>): boolean => state !== 'RUNNING'

/** What is known of the rows: `closable` are open pages all of whose rows are over. */
export type Seen = { counts: Counts; closable: number[] }

const isFinal = ({ position, stopping }: FanOut): boolean => position.ended || stopping?.sweptAt !== undefined

/** How many rows of a page were submitted, so far. */
const submittedIn = ({ position }: FanOut, page: number): number =>
  Math.max(0, Math.min(position.row - page * pageRows, pageRows))

const isClosable = (fan: FanOut, page: number, counts: Counts): boolean => {
  const submitted = submittedIn(fan, page)
  return doneOf(counts) >= submitted && (submitted === pageRows || isFinal(fan))
}

/** `pages` are those of `fan.open`, in its order. */
export const see = (fan: FanOut, pages: (RowPage | undefined)[]): Seen => {
  const counted = fan.open.map((number, at) => ({ number, counts: countPage(pages[at]) }))
  return {
    counts: counted.reduce((sum, { counts }) => addCounts(sum, counts), fan.closed),
    closable: counted.filter(({ number, counts }) => isClosable(fan, number, counts)).map(({ number }) => number),
  }
}

export const inFlight = ({ position }: Pick<FanOut, 'position'>, counts: Counts): number =>
  Math.max(0, position.row - doneOf(counts))

/** How many are known to be submitted: the position moves after a row has, which may have ended by then. */
export const submittedOf = ({ position }: Pick<FanOut, 'position'>, counts: Counts): number =>
  Math.max(position.row, doneOf(counts))

/** How many have to succeed: a share up to 1, or a number above it; all unless it says so. */
export const neededOf = (quorum: number | undefined, total: number): number => {
  if (quorum === undefined) return total
  return Math.min(total, quorum <= 1 ? Math.ceil(quorum * total - 1e-9) : quorum)
}

/** Whether failures have to end it now, and how that is said. */
const brokenPolicy = ({ policy, total }: FanOut, { failed, cancelled }: Counts): string | undefined => {
  const { maxFailures, quorum, failFast } = policy
  if (maxFailures !== undefined && failed > maxFailures) return `${failed} rows failed, more than ${maxFailures} may`
  if (!failFast || total === undefined) return undefined
  const needed = neededOf(quorum, total)
  return total - failed - cancelled < needed ? `${needed} of ${total} have to succeed, and ${failed} failed` : undefined
}

/** The most rows that are submitted in one go. */
export const chunkRows = 200
/** How often those that run are cancelled again, or looked at, where nobody told of an end. */
const againMs = 60_000
const lookMs = 300_000

export type Next =
  | { do: 'close'; page: number }
  | { do: 'stop'; message: string }
  | { do: 'cancel' }
  | { do: 'submit'; count: number }
  | { do: 'look' }
  | { do: 'finish' }
  | { do: 'wait' }

/** What has to be done next. Rows are submitted when a quarter of the window is free, so that each pass has enough to do. */
export const nextOf = (fan: FanOut, { counts, closable }: Seen, now: number): Next => {
  const [page] = closable
  if (page !== undefined) return { do: 'close', page }
  const broken = fan.stopping ? undefined : brokenPolicy(fan, counts)
  if (broken !== undefined) return { do: 'stop', message: broken }
  const running = inFlight(fan, counts)
  if (fan.stopping) {
    const { sweptAt } = fan.stopping
    if (sweptAt === undefined || (running > 0 && now - sweptAt >= againMs)) return { do: 'cancel' }
  } else if (!fan.position.ended) {
    const room = fan.maxInFlight - running
    if (room >= Math.max(1, Math.floor(fan.maxInFlight / 4))) return { do: 'submit', count: Math.min(room, chunkRows) }
  }
  if (running > 0) return now - fan.lookedAt >= lookMs ? { do: 'look' } : { do: 'wait' }
  return isFinal(fan) ? { do: 'finish' } : { do: 'wait' }
}

/** After `rows` more rows were submitted; the object goes on at `byte`. */
export const advance = (fan: FanOut, { rows, byte, ended }: { rows: number; byte: number; ended: boolean }): FanOut => {
  const row = fan.position.row + rows
  return {
    ...fan,
    position: { row, byte, ended },
    claimed: ended ? row : row + chunkRows,
    total: ended ? row : fan.total,
    open: withPages(fan.open, fan.position.row, row),
  }
}

/** A closed page stays closed: nothing is opened without rows. */
const withPages = (open: number[], from: number, to: number): number[] => {
  if (from >= to) return open
  const pages = new Set(open)
  for (let page = pageOf(from); page * pageRows < to; page++) pages.add(page)
  return [...pages].sort((a, b) => a - b)
}

/** After everything up to `end` that was submitted has been told to stop: nothing comes behind it any more. */
export const swept = (fan: FanOut, { end, now }: { end: number; now: number }): FanOut => {
  const row = Math.max(fan.position.row, end)
  return {
    ...fan,
    position: { ...fan.position, row },
    claimed: row,
    open: withPages(fan.open, fan.position.row, row),
    ...(fan.stopping && { stopping: { ...fan.stopping, sweptAt: now } }),
  }
}

/** A page whose rows are all over leaves its counts behind; closing it again changes nothing. */
export const closePage = (fan: FanOut, page: number, counts: Counts): FanOut => {
  if (!fan.open.includes(page)) return fan
  const flawed = counts.failed + counts.cancelled > 0
  return {
    ...fan,
    open: fan.open.filter((one) => one !== page),
    closed: addCounts(fan.closed, counts),
    fragments: flawed ? [...fan.fragments, page].sort((a, b) => a - b) : fan.fragments,
  }
}

export const stop = (fan: FanOut, stopping: Stopping): FanOut => (fan.stopping ? fan : { ...fan, stopping })

/** How a batch ended. */
export const batchOutcome = ({ stopping, position }: FanOut, counts: Counts): FanOutState => {
  if (stopping?.reason === 'CANCELLED') return 'CANCELLED'
  if (stopping) return 'FAILED'
  if (counts.succeeded === position.row) return 'SUCCEEDED'
  return counts.succeeded === 0 ? 'FAILED' : 'PARTIAL'
}

/** How many rows did not succeed by themselves: those that were cancelled because of failures are none of them. */
export const lostOf = ({ stopping }: Pick<FanOut, 'stopping'>, { failed, cancelled }: Counts): number =>
  failed + (stopping?.cancelled ?? cancelled)

/** Whether enough shards succeeded. */
export const reachedQuorum = ({ policy, total = 0, stopping }: FanOut, { succeeded }: Counts): boolean =>
  stopping === undefined && succeeded >= neededOf(policy.quorum, total)

/** 0–100; while the number of rows is unknown, by how much of the object is read. */
export const percentOf = ({ position, total, source, state }: FanOut, counts: Counts): number => {
  if (state === 'SUCCEEDED') return 100
  const done = doneOf(counts)
  if (total !== undefined) return total === 0 ? 100 : Math.floor((100 * done) / total)
  const read = source.kind === 'object' && source.size > 0 ? position.byte / source.size : 0
  return done === 0 ? 0 : Math.floor((100 * read * done) / Math.max(position.row, done))
}
