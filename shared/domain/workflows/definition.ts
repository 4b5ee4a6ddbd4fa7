/** What a workflow is, as people write it. Expressions are JSONata in strings `{% … %}`, wherever a value may stand. */

/** Seconds, or a number with a unit: `90s`, `5m`, `2h`, `1d`. */
export type Duration = number | string
/** JSONata: `{% $review.counts.error > 0 %}`. */
export type Expression = string

/** Names of errors: failure codes of tasks (`AGENT_ERROR`, `TIMEOUT`, …), names that a `fail` gave, `States.…`. */
export type RetryRule = {
  /** @default every error */
  errors?: string[]
  /** Counts all attempts. @default 3 */
  attempts?: number
  /** @default 1 */
  initialSeconds?: number
  /** @default 60 */
  maxSeconds?: number
  /** @default 2 */
  factor?: number
}

export type CatchRule = {
  /** @default every error */
  errors?: string[]
  /** What is done instead; the run goes on after the step that failed. */
  steps: Step[]
}

type Common = {
  /** Its output is the variable of this name. */
  name: string
  description?: string
}
/** What every step that can fail takes. */
type Guarded = Common & {
  retry?: RetryRule | RetryRule[]
  catch?: CatchRule[]
  timeout?: Duration
  /** Its output, from `$states.result`. @default the result as it is */
  output?: unknown
}
/** A step that has an effect outside, and what undoes it when the run does not succeed. */
type Undoable = Guarded & { compensate?: Step[] }

/** Who does a task, and how it is submitted. */
export type Work = {
  capability?: string
  agent?: string
  version?: string
  input?: unknown
  priority?: 'low' | 'normal' | 'high' | 'urgent'
  labels?: Record<string, string>
  requirements?: { labels?: Record<string, string>; resourceClass?: string; version?: string }
  affinityKey?: string
  budget?: Record<string, number>
}

export type TaskStep = Undoable & Work & { kind: 'task' }
export type ParallelStep = Guarded & { kind: 'parallel'; branches: Record<string, Step[]> }
export type MapStep = Guarded & {
  kind: 'map'
  items?: unknown
  /** In place of items: an object of JSON lines, each the input of the one task of a distributed map. */
  itemsFrom?: Expression | { $ref: string }
  /** The variable of the item in its steps. @default item */
  as?: string
  /** @default 40 */
  concurrency?: number
  steps: Step[]
  /** Its one task becomes a row of a batch for each item. */
  distributed?: boolean
  /** So many percent of a distributed map may fail. @default 0 */
  toleratedFailurePercentage?: number
}
export type ChoiceStep = Common & {
  kind: 'choice'
  cases: { when: Expression; steps: Step[] }[]
  otherwise?: Step[]
}
export type WaitStep = Common & { kind: 'wait'; for?: Duration; until?: string }
export type ApprovalStep = Undoable & {
  kind: 'approval'
  prompt: unknown
  people?: string[]
  groups?: string[]
  quorum?: number
  escalate?: { after: Duration; to: string[] }
  onReject?: 'fail' | 'continue'
}
/** One agent by its name, or one that offers a capability. */
export type AgentRecipient = { agent?: string; capability?: string }
/** A message to whoever subscribes to the topic, or into a mailbox or a queue. */
export type MessageStep = Undoable & {
  kind: 'message'
  topic?: string
  to?: AgentRecipient & { queue?: string }
  /** @default the topic */
  type?: string
  body?: unknown
  /** Messages of one conversation are received in order. */
  conversation?: string
}
/** Asks an agent, and waits for its response until `timeout`. */
export type RequestStep = Undoable & {
  kind: 'request'
  to: AgentRecipient
  type: string
  body?: unknown
  conversation?: string
}
export type WaitForEventStep = Undoable & {
  kind: 'waitForEvent'
  topic: string
  /** As EventBridge has them; its values may be expressions. @default every message of the topic */
  pattern?: Record<string, unknown>
  /** Fields of the message's data, and what each has to be: never an operator. */
  correlation?: Record<string, string | number | boolean | null>
}
export type SubWorkflowStep = Undoable & {
  kind: 'subWorkflow'
  workflow: string
  version?: string
  input?: unknown
  /** `false`: it goes on by itself. @default true */
  wait?: boolean
}
/** Reads a value that the agents of the run share, null while there is none; with `value`, sets it. */
export type StateStep = Guarded & { kind: 'state'; key: string; value?: unknown }
export type SetStep = Common & { kind: 'set'; value: unknown }
/** With a `timeout` its steps have variables of their own, which nobody outside sees. */
export type RepeatStep = Common & {
  retry?: RetryRule | RetryRule[]
  catch?: CatchRule[]
  timeout?: Duration
  kind: 'repeat'
  until: Expression
  atMost: number
  steps: Step[]
  /** When `until` was never met. @default continue */
  onLimit?: 'fail' | 'continue'
}
export type RaceStep = Guarded & { kind: 'race'; branches: Record<string, Step[]> }
export type VoteStep = Guarded & {
  kind: 'vote'
  voters: Work[]
  /** What a voter voted for, from `$states.result`. @default the result as it is */
  ballot?: Expression
  quorum: number
}
export type FailStep = Common & { kind: 'fail'; error: string; cause?: string }

export type Step =
  | TaskStep
  | ParallelStep
  | MapStep
  | ChoiceStep
  | WaitStep
  | ApprovalStep
  | MessageStep
  | RequestStep
  | WaitForEventStep
  | SubWorkflowStep
  | StateStep
  | SetStep
  | RepeatStep
  | RaceStep
  | VoteStep
  | FailStep

export type StepKind = Step['kind']

const blockKinds: StepKind[] = ['parallel', 'map', 'choice', 'repeat', 'race', 'vote']
/** Whether a step is what is in it. */
export const isBlock = (kind: string): boolean => blockKinds.includes(kind as StepKind)

/** Steps that are the machine's own business: of them it alone knows. */
export const ownKinds: ReadonlySet<string> = new Set<StepKind>([...blockKinds, 'wait', 'set', 'fail'])

export type Definition = {
  workflow: string
  description?: string
  /** JSON Schema of the input of a run. */
  input?: Record<string, unknown>
  /** Of a run. @default 30d */
  timeout?: Duration
  steps: Step[]
  /** @default the output of the last step */
  output?: unknown
}
