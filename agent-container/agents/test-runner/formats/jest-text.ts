import { cutBlocks } from './blocks.ts'
import { countOf, dedent, type TestFailure, type TextFormat } from './report.ts'
import { messageOfStack, placeInFile } from './stack-frames.ts'

const notATest = new Set(['Console', 'Deprecation Warning', 'Validation Warning'])
const suiteFailed = 'Test suite failed to run'

type Head = { file: string } | { title: string }
type Failed = { title: string; file: string; lines: string[] }

const headOf = (line: string): Head | undefined => {
  const file = /^(?:PASS|FAIL) (\S+)/.exec(line)?.[1]
  if (file !== undefined) return { file }
  const title = /^ {2}● (.+)$/.exec(line)?.[1]
  return title === undefined ? undefined : { title }
}

/** The `  ● name` blocks under each `FAIL file`, up to the summary that repeats them. */
const failedIn = (text: string): Failed[] => {
  const [details = ''] = text.split(/^(?:Summary of all failing tests|Test Suites: )/m)
  let file = ''
  const failed: Failed[] = []
  for (const { head, lines } of cutBlocks(details, { open: headOf })) {
    if ('file' in head) file = head.file
    else if (!notATest.has(head.title)) failed.push({ title: head.title, file, lines })
  }
  return failed
}

const failureOf = ({ title, file, lines }: Failed): TestFailure => {
  const body = dedent(lines)
  const name = title === suiteFailed ? file : title.replaceAll(' › ', ' > ')
  return { name, message: messageOfStack(body), ...placeInFile(file, body) }
}

/** What jest prints by default. */
export const parseJestText: TextFormat = (text) => {
  const summary = /^Tests: +(.+ total)$/m.exec(text)?.[1]
  if (summary === undefined) return undefined
  const failed = failedIn(text)
  const broken = failed.filter((one) => one.title === suiteFailed).length
  return {
    passed: countOf(summary, /(\d+) passed/),
    failed: countOf(summary, /(\d+) failed/) + broken,
    skipped: countOf(summary, /(\d+) skipped/) + countOf(summary, /(\d+) todo/),
    failures: failed.map(failureOf),
  }
}
