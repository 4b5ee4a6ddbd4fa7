import type { Remark } from './finding.ts'
import type { SourceFile } from './source/source-files.ts'

/** What is reviewed, as an analyzer sees it. */
export type Subject = {
  /** The work tree. */
  readonly folder: string
  /** What findings are wanted for, by path. */
  readonly files: readonly SourceFile[]
  /** All reviewed files, also those of other languages and those without a change since the base. */
  readonly everything: readonly SourceFile[]
  /** Whether a finding on these lines is wanted. */
  concerns(file: string, line: number, endLine?: number): boolean
  read(file: Pick<SourceFile, 'path'>): Promise<string>
  /** An empty folder to work in, outside of the work tree. */
  readonly scratch: string
  readonly signal: AbortSignal
  /** So many more files are done. */
  advance(files: number): void
  /** Tells what could not be looked at, and why. */
  note(text: string): void
  /** Keeps a text out of everything that is told. */
  mask(secret: string): void
}

export type Analyzer = {
  readonly id: string
  /** What it looks at, as in `no Python files`. */
  readonly looksAt: string
  applies(file: SourceFile): boolean
  run(subject: Subject): AsyncIterable<Remark>
}

/** The analyzer's tool cannot work on this host: it is skipped, and the message says why. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable'
}
