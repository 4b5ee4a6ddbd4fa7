/** The port of items by key, and of what changes among them. */

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
