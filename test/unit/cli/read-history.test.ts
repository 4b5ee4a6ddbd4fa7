import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readHistory } from '#cli/server/faults/check/read-history.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'devcycle-history-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const aFile = (name: string, ...lines: string[]): string => {
  const file = join(folder, name)
  writeFileSync(file, lines.join('\n'))
  return file
}

const start = '{"type":"start","at":"2026-11-27T14:00:00.000Z","version":"1","generation":1}'
const call = '{"type":"call","id":"r1","operation":"submitTask","params":{},"principal":"key:a","at":""}'

it('a line that was torn when its writer died is counted, wherever it is', () => {
  const file = aFile('torn', start, '{"type":"call","id":"r0","op', call, '{"type":"ans')
  expect(readHistory([file])).toMatchObject({ calls: [{ id: 'r1' }], torn: 2 })
})

it.each([
  ['prose', ['# A history', 'of things'], /^line 1 of .*prose is "# A history", which is none of a history/],
  ['json', ['{', '  "name": "devcycle"', '}'], /^line 2 of .*json is /],
  ['rows', [start, '{"text":"one"}'], /^line 2 of .*rows is "{.*one.*}", which is none of a history/],
  ['array', [start, '[1]', 'null'], /^line 2 of /],
  ['cut', ['{"type":"call","id'], /^line 1 of .*, and no line after it is one of a history/],
  ['empty', [], /^line 1 of .*empty is empty, and no line/],
])('a file of %s is no history, which is told by its line', (name, lines, message) => {
  expect(() => readHistory([aFile(name, ...lines)])).toThrow(message)
})

it('a file that is not there is told, with what would be right', () => {
  expect(() => readHistory(['/no/such/file'])).toThrow(
    '/no/such/file cannot be read: there is no such file; give a file that devcycle start --history FILE wrote',
  )
})
