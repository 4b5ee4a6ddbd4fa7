import { type Block, cutBlocks } from './blocks.ts'
import { countOf, type TestFailure, type TextFormat } from './report.ts'
import type { Place } from './stack-frames.ts'

const summary =
  /^=* ?((?:\d+ (?:failed|passed|skipped|xfailed|xpassed|errors?|deselected|warnings?)(?:, )?)+) in [\d.]+s/m
const listed = /^(?:FAILED|ERROR) (\S+?\.py)(?:::(.+?))?(?: - (.*))?$/gm
const section = /^_{3,} (?:ERROR (?:at \w+ of|collecting) )?(.+?) _{3,}$/
const place = /^(\S+\.py):(\d+): /
const error = /^E {1,7}(.*)$/

const placeOf = (lines: string[]): Place | undefined => {
  const match = lines
    .map((line) => place.exec(line))
    .findLast((one) => one !== null && !/\/lib\/python/.test(one[1] ?? ''))
  return match?.[1] ? { file: match[1], line: Number(match[2]) } : undefined
}

const messageOf = (lines: string[]): string =>
  lines
    .flatMap((line) => error.exec(line)?.[1] ?? [])
    .join('\n')
    .trim()

/** A section is titled `Class.test[parameters]`, or with the file when that could not be collected. */
const failureOf = (sections: Block<string>[], file: string, test: string | undefined, message: string): TestFailure => {
  const title = test?.replaceAll('::', '.') ?? file
  const at = sections.findIndex((one) => one.head === title)
  const [found] = at < 0 ? [] : sections.splice(at, 1)
  const lines = found?.lines ?? []
  return { name: test ? `${file}::${test}` : file, message: messageOf(lines) || message, file, ...placeOf(lines) }
}

/** What pytest prints, with and without `-q` and `-v`. */
export const parsePytestText: TextFormat = (text) => {
  const counts = summary.exec(text)?.[1] ?? /^=* ?no tests (?:ran|collected)/m.exec(text)?.[0]
  if (counts === undefined) return undefined
  const sections = cutBlocks(text, { open: (line) => section.exec(line)?.[1] })
  const matches = [...text.matchAll(listed)]
  return {
    passed: countOf(counts, /(\d+) passed/) + countOf(counts, /(\d+) xpassed/),
    failed: countOf(counts, /(\d+) failed/) + countOf(counts, /(\d+) errors?/),
    skipped: countOf(counts, /(\d+) skipped/) + countOf(counts, /(\d+) xfailed/),
    failures: matches.map(([, file = '', test, message = '']) => failureOf(sections, file, test, message)),
  }
}
