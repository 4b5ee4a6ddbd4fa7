import type { Bound, Expect, Key } from '../platform.ts'
import type { PlatformErrorCode } from '../platform-error.ts'

/** What goes between the main thread and the writer thread. */
export type TableName = 'main' | 'volatile' | 'workflows'

/** An item as JSON text, with the columns it is found by; `places` are its index keys, in the order of the columns. */
export type RawItem = Key & {
  type: string
  rev: string
  item: string
  expiresAt: number | null
  places: (string | null)[]
}

/** It is in no index. */
export const isNowhere = (places: RawItem['places']): boolean => {
  for (const place of places) if (place !== null) return false
  return true
}

export type RawAdd = { op: 'add'; key: Key; by: number; bound?: Bound; rev: string }
export type RawWrite =
  | RawAdd
  | { op: 'put'; item: RawItem; expect: Expect; untold?: true }
  | { op: 'delete'; key: Key; expect: Expect }
  | { op: 'check'; key: Key; expect: Expect }

type About = { table: TableName; now: number }
export type WriteRequest = About & { kind: 'write'; writes: RawWrite[] }
export type AddRequest = About & { kind: 'add'; add: RawAdd }
export type PurgeRequest = { kind: 'purge'; now: number; changesBefore: number }

export type WriterRequest =
  | WriteRequest
  | AddRequest
  | PurgeRequest
  | { kind: 'checkpoint'; consumer: string; seq: number }
  | { kind: 'inspect' }

/** `current` is the stored item as JSON text. */
export type RawConflict = { at: number; current?: string }

/** What each kind of request is answered with. */
export type Answers = {
  write: RawConflict[] | undefined
  /** `undefined`: a bound would be crossed. */
  add: number | undefined
  /** How many rows went. */
  purge: number
  checkpoint: undefined
  inspect: WriterState
}
export type WriterState = { synchronous: number; journalMode: string; commits: number; answered: number }

export type Refusal = { code: PlatformErrorCode; message: string }
export type WriterAnswer = { value: Answers[WriterRequest['kind']] } | { refusal: Refusal }

/**
 * Sent once per commit, after its flush: one answer for each request, in their order; `null` is an undefined value.
 * `lastChange` is the number of the newest change that is committed.
 */
export type WriterReply = { answers: (WriterAnswer | null)[]; lastChange: number }
