/** What a call was, as far as a check needs it: no secrets, and of a body only what tells one call from another. */
export type Asked = {
  id: string
  operation: string
  principal: string
  params: Record<string, string>
  /** Of a worker's call. */
  fence?: string
  /** The `Idempotency-Key`. */
  key?: string
  /** Digest of the body: the same wish again, or another one. */
  digest?: string
  /** Of a message. */
  kind?: string
  /** The object whose lines are the rows of a batch. */
  rows?: string
}

/** What was answered, as far as a check needs it. */
export type Answered = {
  status: number
  /** Of a refusal. */
  code?: string
  /** The task that the answer is, or is about. */
  task?: { id: string; status: string }
  /** The batch that the answer is. */
  batch?: string
  /** The run that the answer is. */
  run?: string
  /** What a lease handed out. */
  leased?: { id: string; fence: string }[]
  /** The tasks that a call of several made, or lists. */
  made?: string[]
}

/** One call of an operation: `from` and `to` are its places, and its answer's, in the order in which things happened. */
export type Call = Asked & { from: number; to?: number; answer?: Answered }

/** A task as it is in the end, with everything that was recorded on its way. */
export type FinalTask = {
  id: string
  status: string
  /** The platform made it by itself: a child, a row of a batch, a run of a schedule. */
  derived?: boolean
  /** Messages on topics led to it: a subscription made it, if nobody else did. */
  ofTopic?: boolean
  /** The schedule that started it. */
  schedule?: string
  /** The batch that it is a row of. */
  batch?: string
  /** It has a reason to wait: a start time, or something that blocks it. */
  waits?: boolean
  /** Its changes of state, oldest first, by the numbers of their events. */
  states: { seq: number; from?: string; to: string }[]
  /** The numbers of all its events, ascending. */
  seqs: number[]
  /** Its leases, oldest first. */
  attempts: { fence: string; instance: string; outcome: string }[]
}

/** A batch as it is in the end; rows count from 0. */
export type FinalBatch = {
  id: string
  state: string
  /** It was cancelled, or ended by its failures. */
  stopped: boolean
  submitted: number
  rows: number
  /** Rows that could be no tasks. */
  refused: Set<number>
}

/** What made tasks by itself, as it is in the end. */
export type FinalCauses = {
  /** Tasks that something says that it made, and what says so. */
  told: { task: string; by: string }[]
  /** The tasks that the matches of subscriptions are, or become. */
  matched: Set<string>
  /** How often each schedule says that it started something. */
  starts: Map<string, number>
  runs: Set<string>
}

/** What a history can get wrong, as the columns of its report. */
export const columns = ['lost', 'unexpected', 'duplicated', 'stale_accepted', 'illegal_transition', 'stuck'] as const
export type Column = (typeof columns)[number]
export type Finding = { column: Column; message: string; task?: string }

/** Records that were taken back to an older copy: what was answered between the two may be gone. */
export type Restore = { backup: number; at: number }
