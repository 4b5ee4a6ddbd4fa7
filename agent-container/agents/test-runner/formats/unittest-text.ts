import { messageOfTraceback, placeOfTraceback } from './python-traceback.ts'
import { countOf, type TestFailure, type TextFormat } from './report.ts'

const heading = /^(?:FAIL|ERROR): (\S+) ?(?:\(([^)]*)\))?(.*)$/

/** `test_x (module.Class.test_x) (number=2)` by its dotted name; before Python 3.11 the last part is not repeated. */
const nameOf = (line: string): string => {
  const [, test = line, dotted = '', rest = ''] = heading.exec(line) ?? []
  const full = dotted.endsWith(`.${test}`) || dotted === test ? dotted : [dotted, test].filter(Boolean).join('.')
  return `${full}${rest}`
}

const failureOf = (block: string): TestFailure => {
  const [first = '', ...rest] = block.split('\n')
  const body = rest.join('\n').split(/^-{70}$/m)
  const traceback = body[1] ?? ''
  return { name: nameOf(first), message: messageOfTraceback(traceback), ...placeOfTraceback(traceback) }
}

/** What `python -m unittest` prints, with and without `-v`. Each failing subtest is a failure of its own. */
export const parseUnittestText: TextFormat = (text) => {
  const ran = /^Ran (\d+) tests? in [\d.]+s$/m.exec(text)
  if (!ran) return undefined
  const verdict = /^(?:OK|FAILED|NO TESTS RAN)(?: \(.*\))?$/m.exec(text.slice(ran.index))?.[0] ?? ''
  const [, ...blocks] = text.slice(0, ran.index).split(/^={70}\n/m)
  const failures = blocks.map(failureOf)
  const skipped = countOf(verdict, /skipped=(\d+)/) + countOf(verdict, /expected failures=(\d+)/)
  const failed = countOf(verdict, /(?<!expected )failures=(\d+)/) + countOf(verdict, /errors=(\d+)/)
  const broken = new Set(failures.map(({ name }) => name.replace(/ \(.*$/, '')))
  const passed = Math.max(0, Number(ran[1]) - skipped - broken.size)
  return { passed, failed: failed + countOf(verdict, /unexpected successes=(\d+)/), skipped, failures }
}
