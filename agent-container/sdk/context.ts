import type { Mail, MessageTo, ReceivedMessage, SendOptions } from './messages.ts'
import type { ApprovalOptions, InputRecord, InputRequest } from './people.ts'

/** What a handler is given. Everything here works the same in a child process on one machine and on Fargate. */

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type Fields = Record<string, unknown>

/** `{url, ref}` names a repository by https; `{bundle, ref}` a git bundle that was uploaded as an object. */
export type RepositoryInput =
  | { url: string; ref?: string | undefined }
  | { bundle: { $ref: string }; ref?: string | undefined }

export type ObjectRef = { $ref: string }

/** What an attempt consumed; `tokens` and `cost` (US dollars) are the agent's own account. */
export type Usage = {
  seconds?: number
  tokens?: number
  cost?: number
  cpuSeconds?: number
  peakMemoryMb?: number
  bytesWritten?: number
}

/** A capability that somebody offers, or an agent by name or id. */
export type CallTarget = string | { agent: string; capability?: string; version?: string }

export type CallOptions = {
  /** Visible ASCII, up to 200; the same key is the same child. */
  key?: string
  timeoutSeconds?: number
  /** ISO 8601; never later than the caller's own. */
  deadline?: string
  priority?: 'low' | 'normal' | 'high' | 'urgent'
  labels?: Record<string, string>
  /** Its own; what is left of the caller's binds it too. `money` in US dollars. */
  budget?: { money?: number; tokens?: number; seconds?: number; children?: number; depth?: number }
  retry?: {
    attempts?: number
    initialSeconds?: number
    maxSeconds?: number
    factor?: number
    retryableCodes?: string[]
  }
}

/** Values that everybody shares who works for one run of a workflow: 256 at most, each of 32 KiB of JSON. */
export type SharedState = {
  /** `undefined`: there is none. */
  get<T = unknown>(key: string): Promise<T | undefined>
  /** Sets a value, whatever it was. */
  set(key: string, value: unknown): Promise<void>
  /**
   * Changes a value, and answers what it is then. `change` is called again when somebody else came first: nobody's
   * change is lost. An attempt that is repeated changes it again.
   */
  update<T = unknown>(key: string, change: (current: T | undefined) => T | Promise<T>): Promise<T>
}

export type AgentContext = {
  readonly task: {
    id: string
    /** Opaque; pass it on as an idempotency key of side effects together with the id. */
    fence: string
    /** From 1. */
    attempt: number
    capability: string
    /** ISO 8601. */
    deadline?: string
    timeoutSeconds?: number
    /** W3C trace context of the submit, to be carried on. */
    traceparent?: string
    /** The run of a workflow that it is done for. */
    workflowRun?: string
  }
  /** Aborts on cancel, time-out, lost lease and drain's end; the process is killed soon after. */
  readonly signal: AbortSignal
  /** An empty folder of this task alone; gone when the task ends. */
  readonly workspace: string
  /** What `checkpoint` saved in an earlier attempt. */
  readonly lastCheckpoint: unknown
  /** Shown to whoever waits. `percent` is 0–100. */
  progress(percent: number, message?: string): void
  /** Streams a piece of the result while the work goes on. */
  output(chunk: unknown): void
  /** Resolves when the checkpoint is durable: a later attempt starts with it in `lastCheckpoint`. */
  checkpoint(value: unknown): Promise<void>
  log(level: LogLevel, message: string, fields?: Fields): void
  metric(name: string, value: number, unit?: string, labels?: Record<string, string>): void
  /** Runs `work` as a named span of the task's trace. */
  span<T>(name: string, work: () => Promise<T>): Promise<T>
  /**
   * Runs a child task and answers its result; a child that does not succeed is an `AgentError` with its code. An attempt
   * that makes the same call again, by its `key` or else by its arguments, finds the child of the earlier one.
   */
  call<T = unknown>(target: CallTarget, input?: unknown, options?: CallOptions): Promise<T>
  /** Sends a message, once also when the attempt is repeated, and answers its id. */
  send(to: MessageTo, type: string, data?: unknown, options?: SendOptions): Promise<string>
  /** Sends a message to everybody who subscribes to a topic. */
  publish(topic: string, type: string, data?: unknown, options?: SendOptions): Promise<string>
  /** Sends a request and answers its response; without one by its time (a minute unless said) it is an `AgentError` `NO_RESPONSE`. */
  request<T = unknown>(
    to: MessageTo,
    type: string,
    data?: unknown,
    options?: Omit<SendOptions, 'ofRun'>,
  ): Promise<ReceivedMessage<T>>
  /** Receives messages of the agent's mailbox that no handler takes. */
  receive(options?: { max?: number; waitSeconds?: number; visibilitySeconds?: number }): Promise<Mail[]>
  /**
   * Asks people and answers what they say. The process ends meanwhile: the handler runs again from its start, with
   * `lastCheckpoint`, and what was answered before is answered at once. Do nothing before it that must not happen twice.
   */
  requestInput<T = unknown>(request: InputRequest): Promise<T>
  /** Asks for an approval; `false` only with `onReject: 'resume'`, else a rejection fails the task. */
  approve(prompt: unknown, options?: ApprovalOptions): Promise<boolean>
  /**
   * The records that are given to the task while it is there, each once: a later attempt goes on behind the last record
   * that was handed out before the last `checkpoint`.
   */
  readonly inputs: AsyncIterable<InputRecord>
  /** What is shared with the others of the run; a task of no run fails when it asks. */
  readonly state: SharedState
  /** Adds to what this attempt has used. */
  usage(used: Usage): void
  readonly objects: {
    /** Downloads an object into a file of the workspace and answers its path. */
    fetch(ref: ObjectRef): Promise<string>
    /** Uploads a file of the workspace, or a value as it is given. */
    put(body: { file: string } | Uint8Array | string, options?: { contentType?: string }): Promise<ObjectRef>
  }
}
