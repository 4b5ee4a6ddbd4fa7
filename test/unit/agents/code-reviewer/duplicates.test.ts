import { describe, expect, it } from 'vitest'
import { duplicates } from '#agent/agents/code-reviewer/analyzers/duplicates.ts'
import { inShort, runAnalyzer } from './run-analyzer.ts'

const block = (count: number, name = 'value') =>
  Array.from(
    { length: count },
    (_one, at) => `  const ${name}${at} = compute(${at}, input.field${at}, other[${at}])\n`,
  ).join('')
const inFunction = (body: string, name = 'f') =>
  `export const ${name} = (input, other) => {\n${body}  return input\n}\n`

describe('the duplicates analyzer', () => {
  it('tells the later place of a long piece of code, and where the other one is', async () => {
    const ran = await runAnalyzer(duplicates, {
      'src/a.ts': inFunction(block(40)),
      'src/b.ts': `import './x.ts'\n\n${inFunction(block(40))}`,
    })
    expect(inShort(ran)).toEqual(['info jscpd/duplicate src/b.ts:3'])
    expect(ran.remarks[0]).toMatchObject({
      endLine: 45,
      related: { file: 'src/a.ts', line: 1, endLine: 43 },
      message: '43 lines repeat src/a.ts:1-43',
    })
  })

  it('tells the end that changed when it is the earlier one', async () => {
    const concerns = (file: string) => file === 'src/a.ts'
    const files = { 'src/a.ts': inFunction(block(40)), 'src/b.ts': inFunction(block(40)) }
    const ran = await runAnalyzer(duplicates, files, { concerns })
    expect(inShort(ran)).toEqual(['info jscpd/duplicate src/a.ts:1'])
  })

  it('lets short ones, tests, other languages and documents be', async () => {
    const long = inFunction(block(40))
    const { remarks } = await runAnalyzer(duplicates, {
      'short-a.ts': inFunction(block(10)),
      'short-b.ts': `x()\n${inFunction(block(10))}`,
      'test/a.ts': long,
      'src/a.test.ts': long,
      'src/only.ts': long,
      'src/a.py': long,
      'README.md': long,
    })
    expect(remarks).toEqual([])
  })

  it('reads no configuration of the repository', async () => {
    const ran = await runAnalyzer(duplicates, {
      '.jscpd.json': '{"ignore":["**"],"minLines":1000}',
      'package.json': '{"jscpd":{"ignore":["**"]}}',
      '.gitignore': '*',
      'a.go': inFunction(block(40)),
      'b.go': inFunction(block(40)),
    })
    expect(inShort(ran)).toEqual(['info jscpd/duplicate b.go:1'])
  })
})
