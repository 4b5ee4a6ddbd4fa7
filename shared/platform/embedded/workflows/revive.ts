import type { Draft } from './draft.ts'
import { type Frame, rootPath } from './execution.ts'
import type { Flow } from './flow.ts'

/** A frame that did not succeed goes on: the branches in it that did not, or its state from the beginning. */
const reviveFrame = async (draft: Draft, flow: Flow, frame: Frame): Promise<void> => {
  const { phase } = frame
  if (phase.kind !== 'failed' && phase.kind !== 'aborted') return
  if (phase.held === undefined)
    return flow.push(draft.put({ ...frame, phase: { kind: 'ready' }, enteredAt: draft.now }))
  const open = draft.put({ ...frame, phase: phase.held, retries: [] })
  for (const child of draft.childrenOf(frame.path)) await reviveFrame(draft, flow, child)
  await flow.branches.proceed(open)
}

/** Sets a run going again that ended without success. */
export const revive = async (draft: Draft, flow: Flow): Promise<boolean> => {
  const { status, redrives, error: _error, cause: _cause, stoppedAt: _stoppedAt, ...head } = draft.head()
  const root = draft.find(rootPath)
  if (status === 'RUNNING' || status === 'SUCCEEDED' || root === undefined) return false
  const { TimeoutSeconds } = flow.tools.machine
  draft.setHead({
    ...head,
    status: 'RUNNING',
    redrives: redrives + 1,
    redrivenAt: draft.now,
    ...(TimeoutSeconds !== undefined && { timeoutAt: draft.now + TimeoutSeconds * 1000 }),
  })
  const event = draft.note({ type: 'ExecutionRedriven' }, root.event)
  await reviveFrame(draft, flow, { ...root, event })
  return true
}
