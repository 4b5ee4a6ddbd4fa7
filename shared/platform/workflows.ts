/** The port of state machines. */

/** A run is known by its name within a workflow of a tenant. */
export type RunRef = { tenant: string; workflow: string; run: string }
/** How something failed: a name that programs match, and a cause that people read. */
export type RunFailure = { error?: string; cause?: string }
export const runStatuses = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'] as const
export type RunStatus = (typeof runStatuses)[number]

/** Amazon States Language with JSONata. `${StepsQueueUrl}` in it stands for the queue of its commands. */
export type WorkflowDefinition = { tenant: string; workflow: string; version: string; asl: unknown }

/** Times are milliseconds since the epoch. */
export type RunDescription = RunFailure & {
  version: string
  status: RunStatus
  startedAt: number
  stoppedAt?: number
  input: unknown
  output?: unknown
}

/** One step of what happened, in the words of Step Functions; `previous` is the event that led to it. */
export type RunEvent = RunFailure & {
  id: number
  previous: number
  at: number
  /** `TaskStateEntered`, `TaskScheduled`, `MapIterationStarted`, `ExecutionSucceeded` … */
  type: string
  /** Of the state, where it is about one. */
  name?: string
  /** Of the iteration, where it is about one. */
  index?: number
  input?: unknown
  output?: unknown
}
/** `bare`: without inputs and outputs. */
export type HistoryPage = { limit?: number; cursor?: string; order?: 'ascending' | 'descending'; bare?: boolean }
export type RunEventPage = { events: RunEvent[]; cursor?: string }

/**
 * What became of an answer to a step. `OVER`: the step was answered before, has timed out, or its run has ended.
 * `UNKNOWN`: no such token was ever given.
 */
export type TokenAnswer = { ok: true } | { ok: false; reason: 'OVER' | 'UNKNOWN' }

export type RunEnd = RunRef & { status: Exclude<RunStatus, 'RUNNING'> }
/** Who does what steps ask for, and hears of ends; at least once each. What is thrown comes again. */
export type WorkflowConsumer = { onCommand(body: unknown): Promise<void>; onEnd(end: RunEnd): Promise<void> }

/**
 * Runs of state machines. A command of a step (the `MessageBody` of its `sqs:sendMessage`) and the end of a run come at
 * least once, to the consumer that the host was given; a run goes on where it was when its host is back.
 */
export interface Workflows {
  /** Idempotent: a version that is there stays as it is. */
  deploy(definition: WorkflowDefinition): Promise<void>
  /** Once for each run's name, however often it is called. A version that is not deployed is `INVALID`. */
  start(run: RunRef & { version: string; input: unknown }): Promise<void>
  /** Ends a run as `ABORTED`; one that has ended stays as it is. */
  stop(run: RunRef, failure: RunFailure): Promise<void>
  describe(run: RunRef): Promise<RunDescription | undefined>
  /** Oldest first unless `order` says otherwise; nothing of a run that never was. */
  history(run: RunRef, page: HistoryPage): Promise<RunEventPage>
  /**
   * The next events behind number `after`, oldest first, as soon as there are any; none after `ms` milliseconds. They come
   * without inputs and outputs.
   */
  eventsAfter(run: RunRef, after: number, options: { ms: number; signal?: AbortSignal }): Promise<RunEvent[]>
  /** Ends the step that waits for the token. */
  succeed(token: string, output: unknown): Promise<TokenAnswer>
  fail(token: string, failure: RunFailure): Promise<TokenAnswer>
  /** Tells that whoever has the token still works: the time of its `HeartbeatSeconds` begins again. */
  heartbeat(token: string): Promise<TokenAnswer>
  /** Runs what did not succeed again, with its retries anew; `false` when the run is under way or has succeeded. */
  redrive(run: RunRef): Promise<boolean>
}
