import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import type { Answered, Asked } from './check/history.ts'

/** A line of a history file. `each` tells the parts of a call that does several things. */
export type HistoryLine =
  | { type: 'start'; at: string; version: string; generation: number }
  | (Asked & { type: 'call'; at: string; each?: { task: string; fence: string; digest: string }[] })
  | (Answered & { type: 'answer'; id: string; ms: number; each?: { status: number; code?: string }[] })

export type HistoryFile = { write(line: HistoryLine): void; close(): void }

/** Whether a line was torn when its writer died. */
const isTorn = (handle: number): boolean => {
  const { size } = fstatSync(handle)
  const last = Buffer.alloc(1)
  return size > 0 && readSync(handle, last, 0, 1, size - 1) === 1 && last.toString() !== '\n'
}

/**
 * Appends to a history. A line is with the operating system when `write` returns: a process that is killed loses none,
 * so a call is there before it is carried out, and its answer before anybody gets it.
 */
export const openHistory = (file: string): HistoryFile => {
  const handle = openSync(file, 'a+', 0o600)
  if (isTorn(handle)) writeSync(handle, '\n')
  return {
    write: (line) => void writeSync(handle, `${JSON.stringify(line)}\n`),
    close: () => closeSync(handle),
  }
}
