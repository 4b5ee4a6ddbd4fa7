import { type Block, cutBlocks } from './blocks.ts'
import { countOf, type TestFailure, type TextFormat } from './report.ts'
import { messageOfStack, placeInFile } from './stack-frames.ts'

const headOf = (line: string) => /^ FAIL {2}(?:\|[^|]+\| )?(.+)$/.exec(line)?.[1]
const closes = (line: string) => /^⎯{5,}|^ Test Files /.test(line)

/** Consecutive ` FAIL ` lines share the error below them. */
const sharingErrors = (blocks: Block<string>[]): Block<string>[] =>
  blocks.map(({ head, lines }, at) => ({
    head,
    lines: lines.length > 0 ? lines : (blocks.slice(at).find((block) => block.lines.length > 0)?.lines ?? []),
  }))

const failureOf = ({ head, lines }: Block<string>): TestFailure => {
  const [file = '', ...names] = head.replace(/ \[ .* \]$/, '').split(' > ')
  const body = lines.join('\n')
  return { name: names.join(' > ') || file, message: messageOfStack(body), ...placeInFile(file, body) }
}

/** What vitest prints with its default and verbose reporters. */
export const parseVitestText: TextFormat = (text) => {
  if (!/^ Test Files {2}/m.test(text)) return undefined
  const tests = /^ +Tests {2}(.+)$/m.exec(text)?.[1] ?? ''
  const blocks = sharingErrors(cutBlocks(text, { open: headOf, closes }))
  const broken = blocks.filter(({ head }) => !head.includes(' > ')).length
  return {
    passed: countOf(tests, /(\d+) passed/),
    failed: countOf(tests, /(\d+) failed/) + broken,
    skipped: countOf(tests, /(\d+) skipped/) + countOf(tests, /(\d+) todo/),
    failures: blocks.map(failureOf),
  }
}
