type State = Record<string, unknown>
export type MachineAsl = {
  StartAt: string
  States: Record<string, State>
  TimeoutSeconds?: number
  QueryLanguage?: string
}

/** What every step sends beside what a test adds. */
const body = (more: object = {}) => ({
  run: '{% $states.context.Execution.Name %}',
  step: '{% $states.context.State.Name %}',
  ...more,
})
const sqs = 'arn:aws:states:::sqs:sendMessage'
const stepsQueue = '$'.concat('{StepsQueueUrl}')

/** A machine of states one after the other, the last of which ends it, unless they say otherwise. */
export const aMachine = (states: Record<string, State>, more: Partial<MachineAsl> = {}): MachineAsl => {
  const names = Object.keys(states)
  const moves = (state: State): boolean =>
    'Next' in state || 'End' in state || ['Choice', 'Succeed', 'Fail'].includes(String(state.Type))
  const linked = Object.entries(states).map(([name, state], at) => {
    const next = names[at + 1]
    return [name, { ...state, ...(!moves(state) && (next === undefined ? { End: true } : { Next: next })) }] as const
  })
  return { QueryLanguage: 'JSONata', StartAt: names[0] ?? '', States: Object.fromEntries(linked), ...more }
}

/** The same inside of a `Parallel` or a `Map`. */
export const aBranch = (states: Record<string, State>): MachineAsl => {
  const { QueryLanguage: _, ...branch } = aMachine(states)
  return branch
}

/** A step that waits for its answer. */
export const aStep = (more: State = {}, sends: object = {}): State => ({
  Type: 'Task',
  Resource: `${sqs}.waitForTaskToken`,
  Arguments: { QueueUrl: stepsQueue, MessageBody: body({ token: '{% $states.context.Task.Token %}', ...sends }) },
  TimeoutSeconds: 60,
  ...more,
})

/** A step that nothing waits for. */
export const aNotice = (more: State = {}, sends: object = {}): State => ({
  Type: 'Task',
  Resource: sqs,
  Arguments: { QueueUrl: stepsQueue, MessageBody: body(sends) },
  ...more,
})

export const aPass = (more: State = {}): State => ({ Type: 'Pass', ...more })
export const aMap = (states: Record<string, State>, more: State = {}): State => ({
  Type: 'Map',
  ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, ...aBranch(states) },
  ...more,
})
export const aParallel = (branches: Record<string, State>[], more: State = {}): State => ({
  Type: 'Parallel',
  Branches: branches.map(aBranch),
  ...more,
})
