import type { RunEvent, RunFailure, RunRef, RunStatus } from '../../platform.ts'
import type { Json } from './asl.ts'

/** A run as a whole; everything that moves is in its frames. */
export type Head = RunRef &
  RunFailure & {
    version: string
    status: RunStatus
    startedAt: number
    stoppedAt?: number
    /** When the machine's own `TimeoutSeconds` are over. */
    timeoutAt?: number
    redrives: number
    redrivenAt?: number
  }

/** What a frame is doing. */
export type Phase =
  /** About to enter its state. */
  | { kind: 'ready' }
  | { kind: 'task'; token: string; timeoutAt?: number; heartbeatAt?: number; heartbeatMs?: number }
  | { kind: 'wait'; until: number }
  /** Until the state is tried again. */
  | { kind: 'retry'; until: number }
  | Open
  | { kind: 'done'; output: Json }
  /** `held` is what its branches need when the run is redriven. */
  | { kind: 'failed'; failure: RunFailure; held?: Open }
  | { kind: 'aborted'; held?: Open }

/** A state with branches. */
export type Open =
  | { kind: 'parallel' }
  | { kind: 'map'; items: Json[]; limit: number; tolerated: { count?: number; percentage?: number } }

/**
 * One branch of a run: the run itself (`r`), a branch of a `Parallel`, or an item of a `Map` (`r.2` is the third of the
 * state that `r` is in). Each is kept apart, so that a transition writes what it changes and nothing else.
 */
export type Frame = {
  path: string
  state: string
  /** Of the state. */
  input: Json
  /** What was assigned in this branch; outer branches' variables are seen as well. */
  variables: Record<string, Json>
  phase: Phase
  enteredAt: number
  /** How often each retrier was used in this state. */
  retries: number[]
  /** The last event of this branch. */
  event: number
}

export const rootPath = 'r'
export const childPath = (path: string, index: number): string => `${path}.${index}`
export const parentPath = (path: string): string | undefined =>
  path === rootPath ? undefined : path.slice(0, path.lastIndexOf('.'))
export const indexOf = (path: string): number => Number(path.slice(path.lastIndexOf('.') + 1))

/** How many branches of a frame there are, and of which kind; those of no kind are under way. */
export type Tally = { created: number; done: number; failed: number; aborted: number }
export const noTally: Tally = { created: 0, done: 0, failed: 0, aborted: 0 }

/** A run in memory. `newest` is the number of its last event. */
export type Execution = {
  head: Head
  input: Json
  frames: Map<string, Frame>
  tallies: Map<string, Tally>
  newest: number
}

/** A message to the steps' consumer; `token` when somebody waits for the answer. */
export type StepCommand = { path: string; event: number; body: Json }

/** What an advance leaves to be written, all or nothing, and then to be done. A frame that is `undefined` is gone. */
export type Changes = {
  head?: Head
  input?: Json
  output?: Json
  frames: Map<string, Frame | undefined>
  tallies: Map<string, Tally | undefined>
  events: RunEvent[]
  newest: number
  commands: StepCommand[]
  /** Frames that go on when this is written: an advance ends by itself after a while. */
  unfinished: string[]
}

/** What a frame waits for by the clock. */
export const dueAtOf = ({ phase, enteredAt }: Frame): number | undefined => {
  switch (phase.kind) {
    case 'ready':
      return enteredAt
    case 'wait':
    case 'retry':
      return phase.until
    case 'task': {
      const due = Math.min(phase.timeoutAt ?? Number.POSITIVE_INFINITY, phase.heartbeatAt ?? Number.POSITIVE_INFINITY)
      return Number.isFinite(due) ? due : undefined
    }
    default:
      return undefined
  }
}

const ends = ['done', 'failed', 'aborted'] as const
type End = (typeof ends)[number]
const isEnd = (kind: string): kind is End => (ends as readonly string[]).includes(kind)
export const isOver = ({ phase }: Frame): boolean => isEnd(phase.kind)

/** The tally after a branch has become what it is. */
export const tallied = (tally: Tally, before: Frame | undefined, after: Frame): Tally => {
  const next = { ...tally, created: tally.created + (before === undefined ? 1 : 0) }
  if (before && isEnd(before.phase.kind)) next[before.phase.kind]--
  if (isEnd(after.phase.kind)) next[after.phase.kind]++
  return next
}
export const underWay = ({ created, done, failed, aborted }: Tally): number => created - done - failed - aborted

/** Makes changes part of the run in memory, once they are written. */
export const apply = (execution: Execution, changes: Changes): void => {
  if (changes.head) execution.head = changes.head
  execution.newest = changes.newest
  for (const [path, frame] of changes.frames)
    if (frame) execution.frames.set(path, frame)
    else execution.frames.delete(path)
  for (const [path, tally] of changes.tallies)
    if (tally) execution.tallies.set(path, tally)
    else execution.tallies.delete(path)
}
