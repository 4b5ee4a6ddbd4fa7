import { countOf, dedent, sum, type TestFailure, type TextFormat } from './report.ts'
import { messageOfStack, placeOfStack } from './stack-frames.ts'

const failed = /^ {2}✘ \[fail\]: (.+)$/gm

/** Details come after the rulers: the title, `file:line` of the assertion, an excerpt, the difference. */
const detailsOf = (text: string, title: string): string => {
  const details = text
    .split(/^ {2}─$/m)
    .slice(1)
    .join('\n')
    .split('\n')
  const start = details.indexOf(`  ${title}`)
  if (start < 0) return ''
  const end = details.findIndex((line, at) => at > start && line.trim() === '' && details[at + 1]?.trim() === '')
  return dedent(details.slice(start + 1, end < 0 ? undefined : end))
}

const failureOf = (text: string, listed: string): TestFailure => {
  const title = titlesIn(listed).find((candidate) => detailsOf(text, candidate) !== '') ?? listed
  const body = detailsOf(text, title)
  const [, file, line] = /^(\S+):(\d+)$/m.exec(body) ?? []
  const message = messageOfStack(body)
    .split('\n')
    .filter((one) => !/^\s*(\d+: |\S+:\d+$)/.test(one))
  const place = file === undefined ? placeOfStack(body) : { file, line: Number(line) }
  return { name: title.replaceAll(' › ', ' > '), message: message.join('\n').trim() || listed, ...place }
}

/** ava lists `title message` on one line: every beginning of it may be the title, the longest first. */
const titlesIn = (listed: string): string[] => {
  const words = listed.split(' ')
  return words.map((_word, at) => words.slice(0, words.length - at).join(' '))
}

const notRun = [/^ {2}(\d+) tests? skipped$/m, /^ {2}(\d+) tests? todo$/m, /^ {2}(\d+) known failures?$/m]

/** What ava prints by default. */
export const parseAvaText: TextFormat = (text) => {
  if (!/^ {2}─$/m.test(text) || !/^ {2}\d+ tests? (passed|failed)$/m.test(text)) return undefined
  const listed = [...text.matchAll(failed)].map(([, title = '']) => title)
  const ticks = text.match(/^ {2}✔ (?!\[expected fail\])/gm)?.length ?? 0
  return {
    passed: countOf(text, /^ {2}(\d+) tests? passed$/m) || ticks,
    failed: listed.length,
    skipped: sum(notRun.map((pattern) => countOf(text, pattern))),
    failures: listed.map((title) => failureOf(text, title)),
  }
}
