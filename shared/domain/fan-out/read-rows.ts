import type { Platform } from '../../platform/platform.ts'
import type { Source } from './fan-out.ts'

/** A row as it was written, or what is wrong with it. */
export type Row = { row: number; value?: unknown; problem?: string }
/** `byte` is where the next row begins; `ended`: there is none. */
export type Rows = { rows: Row[]; byte: number; ended: boolean }

/** The most that the body of a submit may have; a longer row is none. */
const maxRowBytes = 256 * 1024
/** So much of an object is kept at a time. */
const maxReadBytes = 4 * 1024 * 1024

type Start = { row: number; byte: number; count: number }

/** The next rows of a source, at most `count`. `undefined`: what they are read from is gone. */
export const readRows = async (
  ports: Pick<Platform, 'objects'>,
  { tenant, source }: { tenant: string; source: Source },
  start: Start,
): Promise<Rows | undefined> => {
  if (source.kind === 'range') return rangeRows(source, start)
  if (source.kind === 'split') return undefined
  const found = await ports.objects.get({ tenant, id: source.id }, { from: start.byte })
  return found && readLines(found.body, start)
}

/** `{from, to}` in steps of `size`, `to` not included. */
export const rangeRows = (
  { from, to, size }: { from: number; to: number; size: number },
  { row, count }: Pick<Start, 'row' | 'count'>,
): Rows => {
  const rows: Row[] = []
  let at = from + row * size
  for (; at < to && rows.length < count; at += size)
    rows.push({ row: row + rows.length, value: { from: at, to: Math.min(at + size, to) } })
  return { rows, byte: 0, ended: at >= to }
}

/** Lines of JSON, from one that begins at `byte` on. Nothing is kept of a line that is too long. */
export const readLines = async (body: ReadableStream<Uint8Array>, { row, byte, count }: Start): Promise<Rows> => {
  const rows: Row[] = []
  let line: Uint8Array[] = []
  let length = 0
  let at = byte
  const add = (chunk: Uint8Array): void => {
    length += chunk.byteLength
    if (length <= maxRowBytes) line.push(chunk)
    else line = []
  }
  const endLine = (bytes: number): void => {
    rows.push(toRow(row + rows.length, Buffer.concat(line), length))
    at += length + bytes
    line = []
    length = 0
  }
  for await (const chunk of body) {
    let start = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      add(chunk.subarray(start, end))
      endLine(1)
      start = end + 1
      if (rows.length >= count || at - byte >= maxReadBytes) return { rows, byte: at, ended: false }
    }
    add(chunk.subarray(start))
  }
  if (length > 0) endLine(0)
  return { rows, byte: at, ended: true }
}

const decoder = new TextDecoder('utf-8', { fatal: true })

const toRow = (row: number, bytes: Uint8Array, length: number): Row => {
  if (length > maxRowBytes) return { row, problem: `the line has ${length} bytes; a row may have ${maxRowBytes}` }
  try {
    return { row, value: JSON.parse(decoder.decode(bytes)) }
  } catch (error) {
    return { row, problem: `the line is not JSON: ${error instanceof Error ? error.message : 'unreadable'}` }
  }
}
