import { stripVTControlCharacters } from 'node:util'
import { parseAvaText } from './ava-text.ts'
import { parseCargoText } from './cargo-text.ts'
import { parseGoText } from './go-text.ts'
import { parseJestText } from './jest-text.ts'
import { parseMavenText } from './maven-text.ts'
import { parseMochaText } from './mocha-text.ts'
import { parseNodeSpec } from './node-spec.ts'
import { parsePytestText } from './pytest-text.ts'
import { mergeReports, type Report, type TextFormat } from './report.ts'
import { parseTap } from './tap.ts'
import { parseUnittestText } from './unittest-text.ts'
import { parseVitestText } from './vitest-text.ts'

const formats: TextFormat[] = [
  parseVitestText,
  parseJestText,
  parseNodeSpec,
  parseTap,
  parseMochaText,
  parseAvaText,
  parsePytestText,
  parseUnittestText,
  parseGoText,
  parseCargoText,
  parseMavenText,
]

/** No tool says anything of use further right. */
const longLine = /^(.{2000}).+$/gm

/** What every tool whose output is recognised said, together: one script may run several. */
export const parseText = (text: string): Report | undefined => {
  const plain = stripVTControlCharacters(text).replace(/\r$/gm, '').replace(longLine, '$1')
  return mergeReports(formats.map((parse) => parse(plain)))
}
