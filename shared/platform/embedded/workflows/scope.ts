import { isComposite, type Json, type Machine, type State } from './asl.ts'
import type { Draft } from './draft.ts'
import { type Frame, indexOf, parentPath } from './execution.ts'
import type { Bindings, Evaluate } from './expressions.ts'
import { StatesError } from './states-error.ts'

/** What an advance needs beside the run itself; all of it can be told what to answer. */
export type Tools = {
  machine: Machine
  evaluate: Evaluate
  /** 0 ≤ n < 1. */
  random: () => number
  /** A new token for whoever works on the step of a frame. */
  mintToken: (path: string) => string
}

const parentOf = (draft: Draft, { path }: Frame): Frame | undefined => {
  const parent = parentPath(path)
  return parent === undefined ? undefined : draft.find(parent)
}

/** The machine that a frame runs: of the run, or inside of the state that the frame around it is in. */
const machineOf = (draft: Draft, tools: Tools, frame: Frame): Machine => {
  const parent = parentOf(draft, frame)
  if (parent === undefined) return tools.machine
  const state = stateOf(draft, tools, parent)
  const inner =
    state.Type === 'Parallel' ? state.Branches[indexOf(frame.path)] : isComposite(state) && state.ItemProcessor
  if (!inner) throw new StatesError('States.Runtime', `state ${parent.state} has no branch ${frame.path}`)
  return inner
}

/** The first state of the machine that a frame runs. */
export const firstStateOf = (state: State, index: number): string => {
  if (state.Type === 'Parallel') return state.Branches[index]?.StartAt ?? ''
  return state.Type === 'Map' ? state.ItemProcessor.StartAt : ''
}

export const stateOf = (draft: Draft, tools: Tools, frame: Frame): State => {
  const state = machineOf(draft, tools, frame).States[frame.state]
  if (state === undefined) throw new StatesError('States.Runtime', `there is no state ${frame.state}`)
  return state
}

const variablesOf = (draft: Draft, frame: Frame): Record<string, Json> => {
  const parent = parentOf(draft, frame)
  return parent === undefined ? frame.variables : { ...variablesOf(draft, parent), ...frame.variables }
}

/** The item that a frame, or the nearest one around it, is about. */
const itemOf = (draft: Draft, frame: Frame): { Index: number; Value: Json } | undefined => {
  const parent = parentOf(draft, frame)
  if (parent === undefined) return undefined
  const Index = indexOf(frame.path)
  if (parent.phase.kind === 'map') return { Index, Value: parent.phase.items[Index] ?? null }
  return itemOf(draft, parent)
}

const iso = (ms: number): string => new Date(ms).toISOString()

/** What is known beside input and result. */
export type More = {
  token?: string
  item?: { Index: number; Value: Json }
  result?: Json
  errorOutput?: Json
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html */
const contextOf = (draft: Draft, frame: Frame, { token, item = itemOf(draft, frame) }: More) => {
  const { tenant, workflow, run, startedAt, redrives, redrivenAt } = draft.head()
  return {
    Execution: {
      Id: `${tenant}:${workflow}:${run}`,
      Input: draft.input,
      Name: run,
      RoleArn: 'none',
      StartTime: iso(startedAt),
      RedriveCount: redrives,
      ...(redrivenAt !== undefined && { RedriveTime: iso(redrivenAt) }),
    },
    State: {
      EnteredTime: iso(frame.enteredAt),
      Name: frame.state,
      RetryCount: frame.retries.reduce((sum, count) => sum + count, 0),
    },
    StateMachine: { Id: `${tenant}:${workflow}`, Name: workflow },
    ...(token !== undefined && { Task: { Token: token } }),
    ...(item && { Map: { Item: item } }),
  }
}

/** The variables that expressions of a frame see. https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html */
export const bindingsOf = (draft: Draft, frame: Frame, more: More = {}): Bindings => {
  const context = (): unknown => contextOf(draft, frame, more)
  return {
    ...variablesOf(draft, frame),
    states: {
      input: frame.input,
      /** Made when it is asked for: few expressions do. */
      get context() {
        return context()
      },
      ...(more.result !== undefined && { result: more.result }),
      ...(more.errorOutput !== undefined && { errorOutput: more.errorOutput }),
    },
  }
}
