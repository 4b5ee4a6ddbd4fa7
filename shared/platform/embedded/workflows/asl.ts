/** The part of Amazon States Language, with JSONata, that runs here. https://states-language.net */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
/** A literal or `{% … %}`. */
type Dynamic<T> = T | string

export type Retrier = {
  ErrorEquals: string[]
  /** @default 1 */
  IntervalSeconds?: number
  /** 0: never. @default 3 */
  MaxAttempts?: number
  /** @default 2 */
  BackoffRate?: number
  MaxDelaySeconds?: number
  /** @default NONE */
  JitterStrategy?: 'FULL' | 'NONE'
}
export type Catcher = { ErrorEquals: string[]; Next: string } & Results
type Results = { Assign?: Record<string, Json>; Output?: Json }
type Move = { Next?: string; End?: boolean }
type Handling = { Retry?: Retrier[]; Catch?: Catcher[] }

export type PassState = { Type: 'Pass' } & Move & Results
export type TaskState = {
  Type: 'Task'
  Resource: string
  Arguments?: Json
  TimeoutSeconds?: Dynamic<number>
  HeartbeatSeconds?: Dynamic<number>
} & Move &
  Results &
  Handling
export type ChoiceState = {
  Type: 'Choice'
  Choices: ({ Condition: Dynamic<boolean>; Next: string } & Results)[]
  Default?: string
} & Results
export type WaitState = { Type: 'Wait'; Seconds?: Dynamic<number>; Timestamp?: string } & Move & Results
export type ParallelState = { Type: 'Parallel'; Arguments?: Json; Branches: Machine[] } & Move & Results & Handling
export type MapState = {
  Type: 'Map'
  Items?: Json
  ItemSelector?: Json
  ItemProcessor: Machine
  /** 0: as many as there may be. @default 0 */
  MaxConcurrency?: Dynamic<number>
  ToleratedFailureCount?: Dynamic<number>
  ToleratedFailurePercentage?: Dynamic<number>
} & Move &
  Results &
  Handling
export type SucceedState = { Type: 'Succeed' } & Results
export type FailState = { Type: 'Fail'; Error?: string; Cause?: string }

export type State =
  | PassState
  | TaskState
  | ChoiceState
  | WaitState
  | ParallelState
  | MapState
  | SucceedState
  | FailState

export type Machine = { StartAt: string; States: Record<string, State>; TimeoutSeconds?: number }

/** Kinds of states that other machines run in. */
export const isComposite = (state: State | undefined): state is ParallelState | MapState =>
  state?.Type === 'Parallel' || state?.Type === 'Map'
