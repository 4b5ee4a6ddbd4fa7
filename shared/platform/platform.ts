/**
 * The ports: everything the product needs from a host, and nothing else.
 *
 * Each port is small, whole (no optional methods) and has one contract suite in `test/contract/`
 * that every implementation runs. Business code sees only these types.
 */

import type { ChangeFeed, Table } from './table.ts'
import type { Workflows } from './workflows.ts'

export * from './table.ts'
export * from './workflows.ts'

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
  /** An address for one upload: other content after it is refused with 412, the same content may be. */
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
