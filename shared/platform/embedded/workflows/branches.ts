import type { RunFailure } from '../../platform.ts'
import { isComposite, type Json, type MapState, type ParallelState } from './asl.ts'
import { branchInput } from './attempt.ts'
import type { Draft } from './draft.ts'
import { childPath, type Frame, indexOf, type Open, type Phase, parentPath, type Tally, underWay } from './execution.ts'
import { abort } from './run-end.ts'
import { firstStateOf, stateOf, type Tools } from './scope.ts'

type Options = {
  draft: Draft
  tools: Tools
  push: (frame: Frame) => void
  leave: (frame: Frame, exit: { result: Json }) => Promise<void>
  fail: (frame: Frame, failure: RunFailure) => Promise<void>
  guarded: (frame: Frame, work: () => Promise<void>) => Promise<void>
}

const isOpen = (phase: Phase): phase is Open => phase.kind === 'map' || phase.kind === 'parallel'

/** https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html#maprun-fail-threshold */
const isTolerable = ({ tolerated, items }: Extract<Phase, { kind: 'map' }>, { failed }: Tally): boolean => {
  const { count, percentage } = tolerated
  if (count === undefined && percentage === undefined) return false
  const byCount = count === undefined || failed <= count
  return byCount && (percentage === undefined || (failed * 100) / items.length <= percentage)
}

const isTolerant = (phase: Phase): boolean =>
  phase.kind === 'map' && (phase.tolerated.count !== undefined || phase.tolerated.percentage !== undefined)

/** The branches of `Parallel` and `Map`: opened, counted, brought together. */
export const createBranches = ({ draft, tools, push, leave, fail, guarded }: Options) => {
  const parentOf = ({ path }: Frame): Frame => {
    const parent = draft.find(parentPath(path) ?? '')
    if (parent === undefined) throw new Error(`branch ${path} has no state around it`)
    return parent
  }
  const compositeOf = (frame: Frame): ParallelState | MapState => {
    const state = stateOf(draft, tools, frame)
    if (!isComposite(state)) throw new Error(`state ${frame.state} has no branches`)
    return state
  }
  const totalOf = (state: ParallelState | MapState, phase: Open): number =>
    phase.kind === 'map' ? phase.items.length : state.Type === 'Parallel' ? state.Branches.length : 0

  const openOne = (parent: Frame, index: number, input: Json): void => {
    const state = compositeOf(parent)
    const child: Frame = {
      path: childPath(parent.path, index),
      state: firstStateOf(state, index),
      input,
      variables: {},
      phase: { kind: 'ready' },
      enteredAt: draft.now,
      retries: [],
      event: parent.event,
    }
    const begun =
      state.Type === 'Map' ? draft.record(child, { type: 'MapIterationStarted', name: parent.state, index }) : child
    push(draft.put(begun))
  }
  /** Opens as many branches as may be under way. */
  const fill = async (parent: Frame, phase: Open): Promise<void> => {
    const state = compositeOf(parent)
    const [total, limit] = [totalOf(state, phase), phase.kind === 'map' ? phase.limit : Number.POSITIVE_INFINITY]
    const one = { draft, tools, frame: parent, state }
    const shared = phase.kind === 'parallel' ? await branchInput(one, 0) : undefined
    for (let tally = draft.tallyOf(parent.path); tally.created < total && underWay(tally) < limit; ) {
      openOne(parent, tally.created, shared ?? (await branchInput(one, tally.created)))
      tally = draft.tallyOf(parent.path)
    }
  }
  const resultsOf = (parent: Frame): Json[] =>
    draft.childrenOf(parent.path).flatMap(({ phase }) => (phase.kind === 'done' ? [phase.output] : []))

  /** Goes on with the state around the branches: more of them, or what they gave. */
  const proceed = (parent: Frame): Promise<void> =>
    guarded(parent, async () => {
      const { phase } = parent
      if (!isOpen(phase)) return
      await fill(parent, phase)
      if (underWay(draft.tallyOf(parent.path)) > 0) return
      const type = phase.kind === 'map' ? 'MapStateSucceeded' : 'ParallelStateSucceeded'
      await leave(draft.record(parent, { type }), { result: resultsOf(parent) })
    })

  return {
    proceed,
    /** A state that has branches begins them; any other waits for what it waits for. */
    async open(parent: Frame): Promise<void> {
      if (!isOpen(parent.phase)) return
      const type = parent.phase.kind === 'map' ? 'MapStateStarted' : 'ParallelStateStarted'
      await proceed(draft.put(draft.record(parent, { type })))
    },
    ended(frame: Frame): Promise<void> {
      const parent = parentOf(frame)
      if (parent.phase.kind === 'map')
        draft.record(frame, { type: 'MapIterationSucceeded', name: parent.state, index: indexOf(frame.path) })
      return proceed(parent)
    },
    async failed(frame: Frame, failure: RunFailure): Promise<void> {
      const parent = parentOf(frame)
      const { phase } = parent
      if (phase.kind === 'map')
        draft.record(frame, { type: 'MapIterationFailed', name: parent.state, index: indexOf(frame.path) })
      if (phase.kind === 'map' && isTolerable(phase, draft.tallyOf(parent.path))) return proceed(parent)
      for (const child of draft.childrenOf(parent.path)) abort(draft, child)
      const exceeded = {
        error: 'States.ExceedToleratedFailureThreshold',
        cause: 'more items failed than are tolerated',
      }
      await fail(parent, isTolerant(phase) ? exceeded : failure)
    },
  }
}
