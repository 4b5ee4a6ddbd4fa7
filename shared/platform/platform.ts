/**
 * The ports: everything the product needs from a host, and nothing else.
 *
 * Each port is small, whole (no optional methods) and has one contract suite in `test/contract/`
 * that every implementation runs. Business code sees only these types.
 */

import type { Workflows } from './workflows.ts'

export * from './workflows.ts'

// ── Table and change feed ──────────────────────────────────────────────────────────────────────

/** `pk` is `<tenant>#<noun>#<id>`, never a bare tenant; `sk` orders the items of one entity. */
export type Key = { pk: string; sk: string }

/** A ULID minted by the writer for each write and never reused, so that a writer knows its own write again. */
export type Rev = string

/** Sparse, keys-only indexes. No index key ever contains a state or a heartbeat. */
export const indexNames = ['list', 'parent', 'holder', 'due'] as const
export type IndexName = (typeof indexNames)[number]

export type Item<V = unknown> = Key & {
  /** What the item is (`task`, `agent`, …): the feed's consumers choose by it. */
  type: string
  value: V
  index?: Partial<Record<IndexName, Key>>
  /** Milliseconds since the epoch. After it the item is gone for readers, and deleted at leisure. */
  expiresAt?: number
}
export type Stored<V = unknown> = Item<V> & { rev: Rev }

/** What must be true of the stored item for a write to happen. */
export type Expect = 'absent' | 'any' | { rev: Rev }

export type Put = {
  op: 'put'
  item: Item
  expect: Expect
  rev?: Rev
  /** Nobody needs to hear of it: a host may leave the change out of the feed. */
  untold?: true
}
export type Write = Put | { op: 'delete'; key: Key; expect: Expect } | { op: 'check'; key: Key; expect: Expect }

/** A bound on a counter after the addition. */
export type Bound = { min?: number; max?: number }
/** Adds to a counter (created at 0) as a part of a transaction; a bound that would be crossed is a conflict. */
export type Add = { op: 'add'; key: Key; by: number; bound?: Bound }

/** `at` is the position in the list of writes. */
export type Conflict = { at: number; current?: Stored }
/** `revs[i]` is the rev that write `i` left behind (empty for deletes and checks). */
export type Outcome = { ok: true; revs: Rev[] } | { ok: false; conflicts: Conflict[] }

/** Items of one index partition (or of one `pk` when `index` is absent), in `sk` order. */
export type Query = {
  index?: IndexName
  pk: string
  /** Only keys greater than this one. */
  after?: string
  /** Only keys less than this one. */
  before?: string
  prefix?: string
  order?: 'ascending' | 'descending'
  /** Counts items examined: a page may be shorter than `limit` and still have a `cursor`. */
  limit?: number
  cursor?: string
}
export type Page<V = unknown> = { items: Stored<V>[]; cursor?: string }
/** An item as an index knows it; `place` is its `sk` there. */
export type Indexed = Key & { place: string }

/**
 * Items by key with optimistic concurrency. A write is acknowledged only after it is durable.
 *
 * A write whose acknowledgement was lost may be repeated with the same `rev`: an implementation that finds
 * its own rev already stored answers `ok`. Failures that are worth repeating are thrown as
 * `PlatformError` with code `UNAVAILABLE` or `THROTTLED`.
 */
export interface Table {
  /** Strongly consistent. */
  get<V = unknown>(key: Key): Promise<Stored<V> | undefined>
  /** In the order of `keys`; up to 1,000 keys. */
  getMany<V = unknown>(keys: Key[]): Promise<(Stored<V> | undefined)[]>
  /** A conflict carries the current item, at no extra read. */
  write(write: Write): Promise<Outcome>
  /** 2–25 writes and additions of distinct keys: all or nothing. */
  transact(writes: (Write | Add)[]): Promise<Outcome>
  /** Values are current; only membership in an index may lag. */
  query<V = unknown>(query: Query): Promise<Page<V>>
  /** Of an index alone, at a fraction of the price: also what has just left it, or has expired, may be among them. */
  queryKeys(query: Query & { index: IndexName }): Promise<{ items: Indexed[]; cursor?: string }>
  /** Adds to a counter (created at 0). `undefined`: a bound would be crossed and nothing changed. */
  add(key: Key, by: number, bound?: Bound): Promise<number | undefined>
  /** Resolves with the item as soon as its rev differs from `than`, or with what is stored after `ms`. */
  waitForChange<V = unknown>(key: Key, than: Rev | undefined, ms: number): Promise<Stored<V> | undefined>
  /** The whole table in `of` parallel parts; `segment` is 0-based. */
  scan(part: { segment: number; of: number; cursor?: string; limit?: number }): Promise<Page>
}

/** `id` identifies the change and stays the same on redelivery. */
export type Change<V = unknown> = { id: string; key: Key; type: string; before?: Stored<V>; after?: Stored<V> }

/** Stops a loop; resolves when what was under way has ended. */
export type Stoppable = { stop(): Promise<void> }

/**
 * Every change of the main table, at least once, in order per key only; kept 24 h, one checkpoint a consumer. Those that
 * were written `untold` may be left out.
 * `handle` answers the ids it could not process: they come again, and nothing later of the same key comes first.
 */
export interface ChangeFeed {
  consume(consumer: string, handle: (batch: Change[]) => Promise<string[]>, only?: FeedFilter): Stoppable
}
/** The types of items whose changes a consumer is told; without them, of all. */
export type FeedFilter = { types?: readonly string[] }

// ── Queues ─────────────────────────────────────────────────────────────────────────────────────

export type QueueMessage = {
  body: string
  /** 0–900, fractions allowed; a host that counts whole seconds rounds up. */
  delaySeconds?: number
  /** Fairness key: messages of a quiet group never wait behind a noisy group's backlog. */
  group?: string
  /** Lower ones first inside their group, equal ones as they came, those without one last. A host may leave it aside. */
  order?: number
  /** Kept for this receiver by a host that can. Sent again while it waits, it is kept for whom the last send named. */
  for?: string
}
/** `receipt` names this delivery of the message for `delete` and `release`. */
export type Received = { queue: string; body: string; receipt: string; receives: number; sentAt: number }
export type ReceiveOptions = {
  /** Highest first: messages of a later queue are only taken when the earlier ones left room. */
  queues: string[]
  max: number
  /** Of each queue: it gives only while fewer than so many were taken in this call. @default max */
  room?: number[]
  /** Who receives: what is kept for it comes as well. */
  receiver?: string
  /** One in so many goes to a later queue in which something has waited that long. @default earlier queues always first */
  aging?: { afterSeconds: number; oneIn: number }
  /** Resolves as soon as there is something, or empty after this time. */
  waitSeconds: number
  /** Unless deleted, a message comes again after this time. @default 60 */
  visibilitySeconds?: number
  signal?: AbortSignal
}

/** A rebuildable dispatch index: delivery at least once, in no promised order across groups. */
export interface Queues {
  /** Idempotent. */
  ensure(queue: string): Promise<void>
  send(queue: string, messages: QueueMessage[]): Promise<void>
  receive(options: ReceiveOptions): Promise<Received[]>
  delete(messages: Received[]): Promise<void>
  /** Gives messages back to others, at once or after a while (0–900). */
  release(messages: Received[], delaySeconds?: number): Promise<void>
  /** Where a trusted agent may receive by itself; `undefined` when only the platform can. */
  locate(queue: string): Promise<string | undefined>
  /** Approximate: what waits, and what was received but not deleted. */
  depth(queue: string): Promise<{ waiting: number; inFlight: number }>
  /** How many messages of the queue come before one that waits; `undefined` when it does not, or nobody can tell. */
  ahead(queue: string, body: string): Promise<number | undefined>
}

// ── Objects ────────────────────────────────────────────────────────────────────────────────────

export type ObjectStat = { size: number; sha256?: string; contentType?: string }
export type ObjectKey = { tenant: string; id: string }
/** A plain HTTP request that anyone may make until `expiresAt` (milliseconds). */
export type Presigned = { method: 'GET' | 'PUT'; url: string; headers: Record<string, string>; expiresAt: number }

/** Large payloads. Writing is all or nothing; what was acknowledged survives power loss. */
export interface Objects {
  put(
    key: ObjectKey,
    body: Uint8Array | ReadableStream<Uint8Array>,
    options?: { contentType?: string; sha256?: string },
  ): Promise<ObjectStat>
  /**
   * `undefined` when there is no such object. A damaged object is a `PlatformError` `CORRUPT`, unless it is read `from` a
   * byte that is not its first one; from its size on it is empty.
   */
  get(
    key: ObjectKey,
    part?: { from?: number },
  ): Promise<{ stat: ObjectStat; body: ReadableStream<Uint8Array> } | undefined>
  stat(key: ObjectKey): Promise<ObjectStat | undefined>
  delete(key: ObjectKey): Promise<void>
  presignPut(
    key: ObjectKey,
    options: { seconds: number; contentType?: string; sha256?: string; size?: number },
  ): Promise<Presigned>
  presignGet(key: ObjectKey, options: { seconds: number; fileName?: string }): Promise<Presigned>
}

// ── Events between systems ─────────────────────────────────────────────────────────────────────

/** CloudEvents 1.0 with our extensions. https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md */
export type CloudEvent = {
  specversion: '1.0'
  id: string
  source: string
  type: string
  time: string
  subject?: string
  datacontenttype: 'application/json'
  tenantid: string
  traceparent?: string
  /** Of a message on a topic: the topic, and all that it passed, this one last, with spaces between them. */
  topic?: string
  hops?: string
  /** Of a message that is not just an event: what it is, and what it has to do with. */
  kind?: string
  conversation?: string
  correlationid?: string
  replyto?: string
  expirytime?: string
  workflowrun?: string
  /** Where the data is that is too large to be here. https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/dataref.md */
  dataref?: string
  data?: unknown
}

/** Publish-only. Answers the ids that were not accepted. */
export interface EventBus {
  publish(events: CloudEvent[]): Promise<string[]>
}

// ── Calls to other systems ─────────────────────────────────────────────────────────────────────

export type EgressRequest = { url: string; headers: Record<string, string>; body: string; timeoutMs: number }
/** `body` is the beginning of the answer, 64 KB at most. */
export type EgressAnswer = { status: number; body: string }

/**
 * HTTP to addresses that callers gave. Nothing that is not public is ever connected to, unless the host's own settings
 * name it: what a name resolves to is checked, and the checked address is the one that is connected to. Redirects are
 * not followed.
 */
export interface Egress {
  /** Why an address cannot be called; `undefined` when it can, or when its name does not resolve now. */
  problem(url: string): Promise<string | undefined>
  /** A target that is refused is a `PlatformError` `INVALID`; no answer is `UNAVAILABLE`. */
  post(request: EgressRequest): Promise<EgressAnswer>
}

// ── Sockets ────────────────────────────────────────────────────────────────────────────────────

/** `GONE`: nobody is there any more. `BEHIND`: it does not read, and nothing of this was kept for it. */
export type Pushed = 'SENT' | 'GONE' | 'BEHIND'

/** Text to connections that are open. Who has one, and what for, is kept in the volatile table. */
export interface Realtime {
  /** Where clients connect that know the platform by this `Host`: `ws://…` or `wss://…`. */
  url(host?: string): string
  /** In the order of the calls. What was sent may still be lost with the connection. */
  push(connection: string, text: string): Promise<Pushed>
  /** Ends a connection, after what was sent; one that is gone already is none. A host that cannot tell why tells nothing. */
  close(connection: string, why: { code: number; reason: string }): Promise<void>
}

// ── Agent hosts ────────────────────────────────────────────────────────────────────────────────

/** `source` is what the host starts: a folder on this machine, or an ECS service on AWS. */
export type HostedAgent = { tenant: string; agent: string; version: string; source: string }
/** `id` is the host's own name of the copy: a process id, an ECS task ARN. */
export type HostedInstance = { id: string; state: 'STARTING' | 'RUNNING' | 'DRAINING' | 'STOPPED'; startedAt: number }

/** Makes instances of agents run. Restarts what crashed, with back-off. */
export interface AgentHosts {
  /** Makes `count` instances run; extra ones are drained. */
  scale(agent: HostedAgent, count: number): Promise<void>
  instances(agent: HostedAgent): Promise<HostedInstance[]>
  /** Asks an instance to take no more work, finish, and end. */
  drain(id: string): Promise<void>
  /** Ends an instance now. */
  stop(id: string): Promise<void>
  /** Keeps an instance from being chosen by scale-in for so long; 0 lifts it. */
  protect(id: string, minutes: number): Promise<void>
}

// ── Telemetry, clock, random ───────────────────────────────────────────────────────────────────

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type MetricUnit = 'Count' | 'Milliseconds' | 'Seconds' | 'Bytes' | 'Percent'
export type Labels = Record<string, string>

/** Never throws; never blocks. */
export interface Telemetry {
  log(level: LogLevel, message: string, fields?: Record<string, unknown>): void
  metric(name: string, value: number, unit: MetricUnit, labels?: Labels): void
  span<T>(name: string, attributes: Labels, work: () => Promise<T>): Promise<T>
  flush(): Promise<void>
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export interface Random {
  /** 0 ≤ n < 1: for jitter and tie-breaks, not for secrets. */
  number(): number
  /** Cryptographically strong. */
  bytes(length: number): Uint8Array
}

// ── The whole host ─────────────────────────────────────────────────────────────────────────────

export type Platform = {
  /** Everything that matters; feeds the change feed. */
  main: Table
  /** Leases of instances, counters: no feed, may expire. */
  volatile: Table
  feed: ChangeFeed
  queues: Queues
  objects: Objects
  bus: EventBus
  egress: Egress
  realtime: Realtime
  hosts: AgentHosts
  workflows: Workflows
  telemetry: Telemetry
  clock: Clock
  random: Random
  /** Part of the storage's identity, outside what a backup restores: the first half of every fence. */
  generation: number
}
