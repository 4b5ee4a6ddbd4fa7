import type { Platform } from '../../../platform/platform.ts'
import { digest } from '../../ids.ts'
import type { BlockTime, JoinedWith, RunStep } from '../run.ts'

export type StepPorts = Omit<Platform, 'feed' | 'bus' | 'hosts' | 'generation'>

/** What a state of a compiled workflow sends. */
export type StepCommand = {
  tenant: string
  run: string
  /** Ends the step. */
  token?: string
  /** Of a step that nothing waits for: names this time that it runs. */
  id?: string
  index?: number
  /** It undoes what the run had completed. */
  undoes?: true
  /** The blocks around it that may end before what they have begun. */
  within?: BlockTime[]
  /** What the result of the step is joined with. */
  joined?: JoinedWith
  step: { kind: string; name: string } & Record<string, unknown>
}

/** A command with the id of this time that its step runs: a delivery that is repeated is the same one. */
export type Asked = StepCommand & { id: string }

/** A command whose step is kept, with the time since when it is: the same one for each delivery. */
export type Starting = Asked & Pick<RunStep, 'startedAt'>

/** What was begun for a step, or the outcome of one that is done at once. */
export type Begun = Pick<RunStep, 'task' | 'approval' | 'child' | 'batch' | 'message' | 'subscription'> & {
  output?: unknown
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

/** The command in the body of a message; `undefined` when it is none. */
export const parseStepCommand = (body: unknown): Asked | undefined => {
  const command = body as Partial<StepCommand> | null
  const { tenant, run, token, id, step } = command ?? {}
  if (!isText(tenant) || !isText(run) || !isText(step?.kind) || !isText(step.name) || !(isText(token) || isText(id)))
    return undefined
  return { ...(command as StepCommand), id: digest(token ?? id) }
}
