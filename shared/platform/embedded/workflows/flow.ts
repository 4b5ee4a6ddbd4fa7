import type { RunFailure } from '../../platform.ts'
import { isComposite, type Json, type State } from './asl.ts'
import { type Attempt, attempt } from './attempt.ts'
import { createBranches } from './branches.ts'
import { limited } from './data-limit.ts'
import type { Draft } from './draft.ts'
import { type Frame, parentPath } from './execution.ts'
import { nextAttempt } from './retry.ts'
import { endRun, heldOf } from './run-end.ts'
import { bindingsOf, type More, stateOf, type Tools } from './scope.ts'
import { matches, StatesError } from './states-error.ts'

type Results = { Assign?: Record<string, Json>; Output?: Json }
/** How a state is left: with what, by whose `Assign` and `Output`, and where to. */
type Exit = { result: Json; by?: Results; next?: string }

const evaluationFailed = 'States.QueryEvaluationError'

/** How branches go from state to state, in a draft of their run. */
export const createFlow = (draft: Draft, tools: Tools) => {
  const ready: string[] = []
  const push = ({ path }: Frame): void => void ready.push(path)
  const stateFor = (frame: Frame): State => stateOf(draft, tools, frame)

  const failureOf = (error: unknown): RunFailure =>
    error instanceof StatesError
      ? error.failure
      : { error: 'States.Runtime', cause: error instanceof Error ? error.message : String(error) }

  const noteEvaluation = (frame: Frame, failure: RunFailure): Frame =>
    draft.record(frame, { type: 'EvaluationFailed', name: frame.state, ...failure })

  /** What goes wrong while a frame is at it is a failure of its state. */
  const guarded = async (frame: Frame, work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      const [failed, failure] = [draft.find(frame.path) ?? frame, failureOf(error)]
      await fail(failure.error === evaluationFailed ? noteEvaluation(failed, failure) : failed, failure)
    }
  }

  // ── Into a state ──

  const enter = (frame: Frame): Promise<void> => {
    const { Type } = stateFor(frame)
    const entered = draft.record(
      { ...frame, enteredAt: draft.now, retries: [] },
      { type: `${Type}StateEntered`, name: frame.state, input: frame.input },
    )
    return tryState(entered)
  }
  const tryState = (frame: Frame): Promise<void> =>
    guarded(frame, async () =>
      settle(frame, await attempt({ draft, tools, frame: draft.put(frame), state: stateFor(frame) })),
    )

  const settle = async (frame: Frame, outcome: Attempt): Promise<void> => {
    if (outcome.kind === 'left') return leave(frame, outcome)
    const scheduled =
      outcome.send === undefined ? frame : draft.record(frame, { type: 'TaskScheduled', name: frame.state })
    if (outcome.send !== undefined) draft.send({ path: frame.path, event: scheduled.event, body: outcome.send })
    if (outcome.kind === 'sent')
      return leave(draft.record(scheduled, { type: 'TaskSucceeded', output: outcome.result }), outcome)
    await branches.open(draft.put({ ...scheduled, phase: outcome.phase }))
  }

  // ── Out of it ──

  const assigned = async (frame: Frame, by: Results, more: More): Promise<Record<string, Json>> => {
    if (by.Assign === undefined) return frame.variables
    const values = await tools.evaluate(by.Assign, bindingsOf(draft, frame, more))
    return { ...frame.variables, ...limited(values as Record<string, Json>, 'Assign') }
  }
  const outputOf = async (frame: Frame, by: Results, more: More): Promise<Json> => {
    const whole = more.result ?? more.errorOutput ?? null
    const output = by.Output === undefined ? whole : await tools.evaluate(by.Output, bindingsOf(draft, frame, more))
    return limited(output, `the output of ${frame.state}`)
  }
  const move = async (frame: Frame, { by, next, more }: { by: Results; next?: string; more: More }): Promise<void> => {
    const [output, variables] = [await outputOf(frame, by, more), await assigned(frame, by, more)]
    draft.removeChildren(frame.path)
    const exited = draft.record(
      { ...frame, variables },
      { type: `${stateFor(frame).Type}StateExited`, name: frame.state, output },
    )
    if (next === undefined) return complete(exited, output)
    push(draft.put({ ...exited, state: next, input: output, enteredAt: draft.now, phase: { kind: 'ready' } }))
  }
  const leave = (frame: Frame, { result, by, next }: Exit): Promise<void> =>
    guarded(frame, () => {
      const state = stateFor(frame) as State & { Next?: string }
      return move(frame, { by: by ?? (state as Results), next: next ?? state.Next, more: { result } })
    })
  const complete = async (frame: Frame, output: Json): Promise<void> => {
    if (parentPath(frame.path) !== undefined) {
      draft.put({ ...frame, phase: { kind: 'done', output } })
      return branches.ended(frame)
    }
    draft.changes.frames.set(frame.path, undefined)
    draft.setHead({ ...draft.head(), status: 'SUCCEEDED', stoppedAt: draft.now, timeoutAt: undefined })
    draft.setOutput(output)
    draft.note({ type: 'ExecutionSucceeded', output }, frame.event)
  }

  // ── When it fails ──

  const fail = async (frame: Frame, failure: RunFailure): Promise<void> => {
    const state = stateFor(frame)
    const { Retry = [], Catch = [] } = 'Retry' in state || 'Catch' in state ? state : {}
    const noted = isComposite(state) ? draft.record(frame, { type: `${state.Type}StateFailed`, ...failure }) : frame
    const again = nextAttempt({ retriers: Retry, error: failure.error, used: frame.retries, random: tools.random })
    if (again) return retryAfter(noted, again)
    const catcher = Catch.find(({ ErrorEquals }) => matches(ErrorEquals, failure.error))
    if (catcher === undefined) return giveUp(noted, failure)
    const errorOutput: Json = { Error: failure.error ?? '', Cause: failure.cause ?? '' }
    try {
      await move(noted, { by: catcher, next: catcher.Next, more: { errorOutput } })
    } catch (error) {
      await giveUp(noted, failureOf(error))
    }
  }
  const retryAfter = (frame: Frame, { ms, used }: { ms: number; used: number[] }): void => {
    draft.removeChildren(frame.path)
    draft.put({ ...frame, retries: used, phase: { kind: 'retry', until: draft.now + ms } })
  }
  /** Nothing in this branch helps: it is over, and the state around it decides. */
  const giveUp = async (frame: Frame, failure: RunFailure): Promise<void> => {
    draft.put({ ...frame, phase: { kind: 'failed', failure, held: heldOf(frame) } })
    if (parentPath(frame.path) === undefined) endRun(draft, 'FAILED', failure)
    else await branches.failed(frame, failure)
  }

  const branches = createBranches({ draft, tools, push, leave, fail, guarded })

  /** The time of a frame has come: it goes on, or has taken too long. */
  const due = async (path: string): Promise<boolean> => {
    const frame = draft.find(path)
    if (frame === undefined) return false
    const { phase } = frame
    if (phase.kind === 'ready') push(frame)
    else if (phase.kind === 'wait' && draft.now >= phase.until) await leave(frame, { result: frame.input })
    else if (phase.kind === 'retry' && draft.now >= phase.until) await tryState(frame)
    else if (phase.kind === 'task') await timeOut(frame, phase)
    return true
  }
  const timeOut = async (frame: Frame, times: { timeoutAt?: number; heartbeatAt?: number }): Promise<void> => {
    const { timeoutAt = Number.POSITIVE_INFINITY, heartbeatAt = Number.POSITIVE_INFINITY } = times
    if (draft.now < Math.min(timeoutAt, heartbeatAt)) return
    const error = draft.now >= timeoutAt ? 'States.Timeout' : 'States.HeartbeatTimeout'
    await fail(draft.record(frame, { type: 'TaskTimedOut', error }), { error })
  }

  return {
    tools,
    push,
    due,
    leave,
    fail,
    branches,
    /** Runs one state that is ready; `false` when there is none. */
    async step(): Promise<boolean> {
      const path = ready.shift()
      if (path === undefined) return false
      const frame = draft.find(path)
      if (frame?.phase.kind === 'ready' && draft.head().status === 'RUNNING') await enter(frame)
      return true
    },
    rest: (): string[] => ready,
  }
}

export type Flow = ReturnType<typeof createFlow>
