import type { Expect, IndexName, Key } from '../platform.ts'

/** What goes between the main thread and the writer thread; values travel as JSON text. */
export type TableName = 'main' | 'volatile'

export type RawItem = Key & {
  type: string
  rev: string
  value: string
  expiresAt: number | null
  index: Partial<Record<IndexName, Key>>
}

export type RawWrite =
  | { op: 'put'; item: RawItem; expect: Expect }
  | { op: 'delete'; key: Key; expect: Expect }
  | { op: 'check'; key: Key; expect: Expect }

export type WriterRequest =
  | { id: number; kind: 'write'; table: TableName; now: number; writes: RawWrite[] }
  | {
      id: number
      kind: 'add'
      table: TableName
      now: number
      key: Key
      by: number
      min?: number
      max?: number
      rev: string
    }
  | { id: number; kind: 'checkpoint'; consumer: string; seq: number }
  | { id: number; kind: 'purge'; now: number; changesBefore: number }

export type RawRow = {
  pk: string
  sk: string
  type: string
  rev: string
  value: string
  expires_at: number | null
} & { [column: string]: string | number | null }

export type WriterAnswer =
  | { id: number; ok: true; number?: number | null; conflicts?: { at: number; current?: RawRow }[] }
  | { id: number; ok: false; error: string }

/** Sent once per commit, after its flush. */
export type WriterReply = { answers: WriterAnswer[]; changed: { table: TableName; key: Key }[] }
