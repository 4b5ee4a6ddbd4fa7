import type { Remark } from '../finding.ts'
import type { SourceFile } from '../source/source-files.ts'

/** What the process of an analyzer is asked, once. */
export type Request = { module: string; name: string; folder: string; files: SourceFile[]; scratch: string }

/** What it tells, ending with `done` or `failed`. */
export type Telling =
  | { kind: 'remark'; remark: Remark }
  | { kind: 'advance'; files: number }
  | { kind: 'note'; text: string }
  | { kind: 'mask'; secret: string }
  | { kind: 'done' }
  | { kind: 'failed'; message: string; unavailable: boolean }
