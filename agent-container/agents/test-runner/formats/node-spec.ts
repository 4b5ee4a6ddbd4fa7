import { countOf, dedent, type TestFailure, type TextFormat } from './report.ts'
import { messageOfStack, placeOfStack } from './stack-frames.ts'

const place = /^test at (.+):(\d+):\d+$/

const withoutTime = (title: string) => title.replace(/ \([\d.]+ms\)(?: #.*)?$/, '')

const failureOf = (lines: string[]): TestFailure => {
  const [, file = '', line] = place.exec(lines[0] ?? '') ?? []
  const body = dedent(lines.slice(2)).replace(/^'([\s\S]*)'$/, '$1')
  return {
    name: withoutTime((lines[1] ?? file).replace(/^\s*✖ /, '')),
    message: messageOfStack(body),
    file,
    line: Number(line),
    ...placeOfStack(body),
  }
}

/** The part after `✖ failing tests:`, cut at each `test at file:line:column`. */
const failuresOf = (text: string): TestFailure[] => {
  const [, section] = text.split(/^✖ failing tests:$/m)
  return (section ?? '')
    .split(/^(?=test at .+:\d+:\d+$)/m)
    .map((block) => block.trimEnd().split('\n'))
    .filter((lines) => place.test(lines[0] ?? ''))
    .map(failureOf)
}

/** What the `spec` reporter of `node --test` prints. */
export const parseNodeSpec: TextFormat = (text) => {
  if (!/^ℹ tests \d+$/m.test(text) || !/^ℹ pass \d+$/m.test(text)) return undefined
  return {
    passed: countOf(text, /^ℹ pass (\d+)$/m),
    failed: countOf(text, /^ℹ fail (\d+)$/m) + countOf(text, /^ℹ cancelled (\d+)$/m),
    skipped: countOf(text, /^ℹ skipped (\d+)$/m) + countOf(text, /^ℹ todo (\d+)$/m),
    failures: failuresOf(text),
  }
}
