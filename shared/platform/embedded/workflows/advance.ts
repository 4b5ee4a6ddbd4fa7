import type { RunFailure } from '../../platform.ts'
import type { Json } from './asl.ts'
import { createDraft, type Draft } from './draft.ts'
import { type Changes, type Execution, type Frame, type Head, rootPath } from './execution.ts'
import { createFlow, type Flow } from './flow.ts'
import { revive } from './revive.ts'
import { endRun } from './run-end.ts'
import type { Tools } from './scope.ts'
import { StatesError } from './states-error.ts'
import { waitingFor } from './tokens.ts'

/** What can happen to a run. `answer` and `heartbeat` name a token and the frame that it was given for. */
export type Happening =
  | { kind: 'begin' }
  | { kind: 'succeed'; path: string; token: string; output: Json }
  | { kind: 'fail'; path: string; token: string; failure: RunFailure }
  | { kind: 'heartbeat'; path: string; token: string }
  /** The time of a frame has come, or it goes on; without a path, the time of the run. */
  | { kind: 'due'; path?: string }
  | { kind: 'stop'; failure: RunFailure }
  | { kind: 'redrive' }

/** So many states are entered in one advance at most: the rest goes on after a write. */
const mostSteps = 200
/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const mostEvents = 25_000

const begin = (draft: Draft, flow: Flow): boolean => {
  const { StartAt: state, TimeoutSeconds } = flow.tools.machine
  const event = draft.note({ type: 'ExecutionStarted', input: draft.input }, 0)
  if (TimeoutSeconds !== undefined) draft.setHead({ ...draft.head(), timeoutAt: draft.now + TimeoutSeconds * 1000 })
  const phase = { kind: 'ready' } as const
  const frame = { path: rootPath, state, input: draft.input, variables: {}, retries: [] }
  flow.push(draft.put({ ...frame, phase, event, enteredAt: draft.now }))
  return true
}

const beat = (draft: Draft, frame: Frame): void => {
  if (frame.phase.kind !== 'task' || frame.phase.heartbeatMs === undefined) return
  draft.put({ ...frame, phase: { ...frame.phase, heartbeatAt: draft.now + frame.phase.heartbeatMs } })
}

const runIsDue = (draft: Draft): boolean => {
  const { timeoutAt = Number.POSITIVE_INFINITY } = draft.head()
  if (draft.now >= timeoutAt) endRun(draft, 'TIMED_OUT', { error: 'States.Timeout' })
  return true
}

/** Answers whether it was still possible. */
const take = async (draft: Draft, flow: Flow, happening: Happening): Promise<boolean> => {
  if (happening.kind === 'begin') return begin(draft, flow)
  if (happening.kind === 'redrive') return revive(draft, flow)
  if (draft.head().status !== 'RUNNING') return false
  if (happening.kind === 'stop') return endRun(draft, 'ABORTED', happening.failure)
  if (happening.kind === 'due') return happening.path === undefined ? runIsDue(draft) : flow.due(happening.path)
  const frame = waitingFor(draft, happening)
  if (frame === undefined) return false
  if (happening.kind === 'heartbeat') beat(draft, frame)
  else if (happening.kind === 'fail')
    await flow.fail(draft.record(frame, { type: 'TaskFailed', ...happening.failure }), happening.failure)
  else
    await flow.leave(draft.record(frame, { type: 'TaskSucceeded', output: happening.output }), {
      result: happening.output,
    })
  return true
}

/** A run that cannot go on for a reason of this program's own ends with it, rather than never. */
const orRuntimeError = async (draft: Draft, work: () => Promise<boolean>): Promise<boolean> => {
  try {
    return await work()
  } catch (error) {
    const failure = error instanceof StatesError ? error.failure : { error: 'States.Runtime', cause: String(error) }
    endRun(draft, 'FAILED', failure)
    return true
  }
}

const runReady = async (draft: Draft, flow: Flow): Promise<boolean> => {
  for (let steps = 0; steps < mostSteps; steps++) if (!(await flow.step())) return true
  draft.changes.unfinished.push(...flow.rest())
  return true
}

const checkHistory = (draft: Draft): void => {
  const cause = `the run has reached the maximum number of history events (${mostEvents})`
  if (draft.changes.newest >= mostEvents && draft.head().status === 'RUNNING')
    endRun(draft, 'FAILED', { error: 'States.Runtime', cause })
}

export type Advance = { changes: Changes; answers: boolean[] }

/**
 * What happenings change in a run, one after the other. Nothing is touched but what it answers: the run goes on when
 * that is written. `answers` tells of each whether it came in time.
 */
export const advance = async (
  execution: Execution,
  happenings: readonly Happening[],
  { now, ...tools }: Tools & { now: number },
): Promise<Advance> => {
  const draft = createDraft(execution, now)
  const flow = createFlow(draft, tools)
  const answers: boolean[] = []
  for (const happening of happenings) answers.push(await orRuntimeError(draft, () => take(draft, flow, happening)))
  await orRuntimeError(draft, () => runReady(draft, flow))
  checkHistory(draft)
  return { changes: draft.changes, answers }
}

/** A run before anything has happened. */
export const newExecution = (head: Head, input: Json): Execution => ({
  head,
  input,
  frames: new Map(),
  tallies: new Map(),
  newest: 0,
})
