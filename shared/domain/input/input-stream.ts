import type { Item, Key } from '../../platform/platform.ts'
import type { Stamp } from '../caller.ts'
import { type Refused, refuse } from '../domain-error.ts'
import { taskPk } from '../tasks/task-store.ts'

type Position = { seq: number; bytes: number }

/** Records up to `last`, from where those of the part before end, are kept with `task`. */
export type InputPart = { task: string; last: number }

/**
 * Everything that a task is given while it is there: records from 1 to `last`, as far as `read` known to be read. `before`:
 * those that the tasks which it does again were given, in order.
 */
export type InputStream = { last: Position; read: Position; ended: boolean; before?: InputPart[]; stamp?: Stamp }

/** Consecutive records of one item; `before` counts the bytes of all that come before them. */
export type InputChunk = { first: number; before: number; records: unknown[] }

export const emptyStream: InputStream = { last: { seq: 0, bytes: 0 }, read: { seq: 0, bytes: 0 }, ended: false }

/** So much may wait to be read. */
export const inputLimits = { records: 10_000, bytes: 16 * 1024 * 1024 } as const
/** How far a reader gets before it is written down: it is for the limit alone. */
const readStep: Position = { seq: 1000, bytes: 1024 * 1024 }

export const streamKey = (tenant: string, task: string): Key => ({ pk: taskPk(tenant, task), sk: 'input-stream' })
export const streamItem = (tenant: string, task: string, stream: InputStream): Item<InputStream> => ({
  ...streamKey(tenant, task),
  type: 'input-stream',
  value: stream,
})

export const recordPrefix = 'input-record#'
export const recordSk = (seq: number): string => `${recordPrefix}${String(seq).padStart(10, '0')}`
export const recordsItem = (tenant: string, task: string, chunk: InputChunk): Item<InputChunk> => ({
  pk: taskPk(tenant, task),
  sk: recordSk(chunk.first + chunk.records.length - 1),
  type: 'input-record',
  value: chunk,
})

export const unreadOf = ({ last, read }: InputStream): Position => ({
  seq: last.seq - read.seq,
  bytes: last.bytes - read.bytes,
})

/** The stream with so much more in it. One that is full takes nothing, one that has ended never. */
export const appendTo = (stream: InputStream, more: { records: number; bytes: number; end: boolean }) => {
  const { last } = stream
  if (stream.ended && more.records === 0 && more.end) return stream
  if (stream.ended) return refuse('INPUT_ENDED', `the input has ended with record ${last.seq}; nothing follows`)
  const next = { ...stream, last: { seq: last.seq + more.records, bytes: last.bytes + more.bytes }, ended: more.end }
  return more.records > 0 && isFull(next) ? refuseFull(stream) : next
}

const isFull = (stream: InputStream): boolean => {
  const { seq, bytes } = unreadOf(stream)
  return seq > inputLimits.records || bytes > inputLimits.bytes
}

const refuseFull = (stream: InputStream): Refused => {
  const { seq, bytes } = unreadOf(stream)
  return refuse(
    'INPUT_FULL',
    `${seq} records (${bytes} bytes) wait to be read; at most ${inputLimits.records} (${inputLimits.bytes} bytes) may: try again`,
  )
}

/** The stream as read up to a position; the same object while that is not worth a write. */
export const readTo = (stream: InputStream, at: Position): InputStream => {
  const far = at.seq - stream.read.seq >= readStep.seq || at.bytes - stream.read.bytes >= readStep.bytes
  return far ? { ...stream, read: at } : stream
}

/** Where the records of a task's stream are kept, in order. */
export const partsOf = ({ before = [], last }: InputStream, task: string): InputPart[] => [
  ...before,
  { task, last: last.seq },
]

/** The stream of a task that has ended as the one of a task that does it again: its records stay where they are. */
export const passOn = (stream: InputStream, { task, fromStart }: { task: string; fromStart: boolean }): InputStream => {
  const { last, read, ended } = stream
  const parts = partsOf(stream, task)
  const before = parts.filter((part, at) => part.last > (parts[at - 1]?.last ?? 0))
  return { last, read: fromStart ? emptyStream.read : read, ended, before }
}

/** Records of one item stay well below the size that an item may have; one that is larger is alone in its own. */
const chunkBytes = 96 * 1024

/** Records in items of a bounded size, numbered on from the end of the stream. */
export const chunkRecords = ({ last }: InputStream, records: { value: unknown; bytes: number }[]): InputChunk[] => {
  const chunks: InputChunk[] = []
  let [seq, before, room] = [last.seq + 1, last.bytes, 0]
  for (const { value, bytes } of records) {
    const chunk = chunks.at(-1)
    if (chunk && bytes <= room) chunk.records.push(value)
    else chunks.push({ first: seq, before, records: [value] })
    room = (chunk && bytes <= room ? room : chunkBytes) - bytes
    seq++
    before += bytes
  }
  return chunks
}
