import { countOf, dedent, type TestFailure, type TextFormat } from './report.ts'
import { messageOfStack, placeOfStack } from './stack-frames.ts'

/** `  1) suite`, deeper suites and the test on lines of their own up to one that ends in a colon, then the error. */
const failureOf = (block: string): TestFailure => {
  const lines = block.split('\n')
  const end = lines.findIndex((line) => line.trimEnd().endsWith(':'))
  const names = lines.slice(0, end + 1).map((line) => line.replace(/^ {2}\d+\)/, '').trim())
  const body = dedent(lines.slice(end + 1))
  return { name: names.join(' > ').replace(/:$/, ''), message: messageOfStack(body), ...placeOfStack(body) }
}

/** What mocha prints with its spec, dot and list reporters. */
export const parseMochaText: TextFormat = (text) => {
  const summary = /^ {2}\d+ passing \([^)]*\)$/m.exec(text)
  if (!summary) return undefined
  const tail = text.slice(summary.index)
  const [, ...blocks] = tail.split(/^(?= {2}\d+\) )/m)
  return {
    passed: countOf(tail, /^ {2}(\d+) passing/m),
    failed: countOf(tail, /^ {2}(\d+) failing$/m),
    skipped: countOf(tail, /^ {2}(\d+) pending$/m),
    failures: blocks.map(failureOf),
  }
}
