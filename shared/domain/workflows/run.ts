import type { Body } from '../bodies/body.ts'
import type { Caller, Principal, Stamp } from '../caller.ts'

export const runStates = ['RUNNING', 'COMPENSATING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED'] as const
export type RunState = (typeof runStates)[number]
export type EndState = Exclude<RunState, 'RUNNING' | 'COMPENSATING'>

/** What became of a step that had completed, when its run did not succeed. */
export type Undone = { step: string; undone: boolean; error?: string; cause?: string }

/** The step of another run that waits for this one. */
export type ParentStep = { run: string; step: string }

/** One run of a version of a workflow. Times are milliseconds. */
export type Run = {
  id: string
  tenant: string
  workflow: string
  version: number
  state: RunState
  input: Body
  output?: Body
  error?: string
  cause?: string
  /** Somebody wants it to end. */
  stop?: { by: string; reason?: string }
  /** What it ends as once everything is undone. */
  outcome?: EndState
  undone?: Undone[]
  parent?: ParentStep
  /** The schedule that started it. */
  schedule?: string
  /** The run that was done again by this one. */
  rerunOf?: string
  /** The topics and recipients that a message passed which led to it. */
  hops?: string[]
  redrives: number
  /** The execution that it is in, of a run that goes on in further ones of its machine: 0 is the first. */
  leg?: number
  /** What it may take in all its legs: no machine of it knows that. */
  timeoutSeconds?: number
  /** Since when its time counts anew. */
  redrivenAt?: number
  /** When its machine had ended (ms), of one that is told to go on. */
  redriving?: number
  startedAt: number
  finishedAt?: number
  dueAt?: number
  /** Digest of what was asked for, to tell a repeated start from another one. */
  submitted: string
  by: Principal
  stamp: Stamp
}

export const isOver = ({ state }: Pick<Run, 'state'>): boolean => state !== 'RUNNING' && state !== 'COMPENSATING'

/** How often a run is compared with what its host knows of it. */
export const lookMs = { first: 60_000, later: 3_600_000 }

/** A run acts for whoever started it. */
export const callerOfRun = ({ tenant, id, by }: Pick<Run, 'tenant' | 'id' | 'by'>): Caller => ({
  tenant,
  principal: by,
  requestId: id,
})

/** One time that a block of a run runs; of a block that is tried again, the try that began at a time. */
export type BlockTime = { block: string; try?: string }

/** How many results a block joins, of which a step has one; they share what some leave in that time of a block. */
export type JoinedWith = { of: number; block: string }

/** Steps that are the machine's own business. */
const inwardKinds = ['abandon', 'timer', 'endTimer']
export const isInward = ({ kind }: { kind: string }): boolean => inwardKinds.includes(kind)

export const stepStates = ['RUNNING', 'SUCCEEDED', 'FAILED', 'ABANDONED'] as const
export type StepState = (typeof stepStates)[number]

/** Something that a run asked the product for, and what came of it. */
export type RunStep = {
  /** Of this time that the step runs. */
  id: string
  tenant: string
  run: string
  name: string
  kind: string
  /** In a map: of which item. */
  index?: number
  /** Ends the step; absent where nothing waits. */
  token?: string
  state: StepState
  task?: string
  approval?: string
  /** The run of a sub-workflow. */
  child?: string
  /** The tasks for the lines of an object. */
  batch?: string
  /** The request that it waits for the response to. */
  message?: string
  /** Brings the message that it waits for. */
  subscription?: string
  output?: Body
  error?: string
  cause?: string
  startedAt: number
  /** When its time is over. */
  until?: number
  finishedAt?: number
  /** It undoes another one. */
  undoes?: true
  /** The blocks that it is in. */
  within?: BlockTime[]
  /** What its result is joined with. */
  joined?: JoinedWith
}
