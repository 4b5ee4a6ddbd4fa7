import { type Block, cutBlocks } from './blocks.ts'
import { sum, type TestFailure, type TextFormat } from './report.ts'
import type { Place } from './stack-frames.ts'

const result = /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;/gm
/** Rust 1.73 and later; before, the message stands between quotes on the same line. */
const panicked = /^thread '.*'(?: \(\d+\))? panicked at (?:'([\s\S]*)', )?([^\s:]+):(\d+):\d+:?$/

const headOf = (line: string) => /^---- (.+) stdout ----$/.exec(line)?.[1]
const closes = (line: string) => /^failures:$|^test result: /.test(line)

const failureOf = ({ head: name, lines }: Block<string>): TestFailure => {
  const at = lines.findIndex((line) => panicked.test(line))
  const [, quoted, file, line] = panicked.exec(lines[at] ?? '') ?? []
  const rest = lines.slice(at + 1)
  const end = rest.findIndex((one) => /^(note: |stack backtrace:)/.test(one))
  const message =
    quoted ??
    rest
      .slice(0, end < 0 ? undefined : end)
      .join('\n')
      .trim()
  return { name, message, ...(file === undefined ? {} : { file, line: Number(line) }) }
}

const compilerError = /^error(?:\[E\d+\])?: (.+)\n +--> (.+):(\d+):\d+$/gm

/** What does not compile fails by the name of its file, once a place. */
const compilerErrors = (text: string): TestFailure[] => {
  const places = new Map<string, TestFailure & Partial<Place>>()
  for (const [, message = '', file = '', line] of text.matchAll(compilerError))
    places.set(`${file}:${line}:${message}`, { name: file, message, file, line: Number(line) })
  return [...places.values()]
}

/** What `cargo test` prints, of all its binaries together. */
export const parseCargoText: TextFormat = (text) => {
  const results = [...text.matchAll(result)]
  const broken = /^error: could not compile /m.test(text) ? compilerErrors(text) : []
  if (results.length === 0 && broken.length === 0) return undefined
  const total = (group: number) => sum(results.map((match) => Number(match[group])))
  const failures = [...broken, ...cutBlocks(text, { open: headOf, closes }).map(failureOf)]
  return { passed: total(1), failed: total(2) + broken.length, skipped: total(3), failures }
}
