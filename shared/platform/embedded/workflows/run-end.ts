import type { RunFailure, RunStatus } from '../../platform.ts'
import type { Draft } from './draft.ts'
import { type Frame, isOver, rootPath } from './execution.ts'

/** Ends what is under way in a frame and in those inside of it. What a redrive needs of it is kept. */
export const abort = (draft: Draft, frame: Frame): void => {
  if (isOver(frame)) return
  for (const child of draft.childrenOf(frame.path)) abort(draft, child)
  draft.put({ ...frame, phase: { kind: 'aborted', held: heldOf(frame) } })
}

/** What a state with branches needs to go on with them. */
export const heldOf = ({ phase }: Frame) => (phase.kind === 'parallel' || phase.kind === 'map' ? phase : undefined)

const eventTypes: Record<Exclude<RunStatus, 'RUNNING' | 'SUCCEEDED'>, string> = {
  FAILED: 'ExecutionFailed',
  TIMED_OUT: 'ExecutionTimedOut',
  ABORTED: 'ExecutionAborted',
}

/** Ends the run without success, and all that is under way in it. */
export const endRun = (draft: Draft, status: keyof typeof eventTypes, failure: RunFailure): true => {
  const root = draft.find(rootPath)
  if (root) abort(draft, root)
  const { error, cause } = failure
  draft.setHead({ ...draft.head(), status, stoppedAt: draft.now, timeoutAt: undefined, error, cause })
  draft.note({ type: eventTypes[status], error, cause }, root?.event ?? 0)
  return true
}
