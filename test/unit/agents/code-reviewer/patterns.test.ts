import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { goPatterns } from '#agent/agents/code-reviewer/analyzers/patterns/go-patterns.ts'
import { javascriptPatterns } from '#agent/agents/code-reviewer/analyzers/patterns/javascript-patterns.ts'
import { pythonPatterns } from '#agent/agents/code-reviewer/analyzers/patterns/python-patterns.ts'
import { patterns } from '#agent/agents/code-reviewer/analyzers/patterns.ts'
import { inShort, runAnalyzer } from './run-analyzer.ts'

const fixture = (name: string) =>
  readFileSync(path.join(import.meta.dirname, '../../../fixtures/code-review/patterns', `${name}.txt`), 'utf8')

/** `line id severity` of each line that is marked `! id severity`; the others must stay quiet. */
const marked = (code: string) =>
  code.split('\n').flatMap((text, index) => {
    const [, id, severity] = /(?:\/\/|#) ! (\S+) (\S+)$/.exec(text) ?? []
    return id ? [{ line: index + 1, rule: `devcycle/${id}`, severity }] : []
  })

const suites = [
  { language: 'JavaScript', file: 'a.js', name: 'javascript', all: javascriptPatterns },
  { language: 'JavaScript modules', file: 'a.mjs', name: 'javascript', all: javascriptPatterns },
  { language: 'TypeScript', file: 'a.ts', name: 'javascript', all: javascriptPatterns },
  { language: 'Python', file: 'a.py', name: 'python', all: pythonPatterns },
  { language: 'Go', file: 'a.go', name: 'go', all: goPatterns },
]

describe.each(suites)('patterns for $language', ({ file, name, all }) => {
  const code = fixture(name)

  it('are all tried', () => {
    const tried = new Set(marked(code).map(({ rule }) => rule))
    expect([...tried].sort()).toEqual(all.map(({ id }) => `devcycle/${id}`).sort())
  })

  it('fire on the marked lines and nowhere else', async () => {
    const { remarks } = await runAnalyzer(patterns, { [file]: code })
    const seen = remarks.map(({ line, rule, severity }) => ({ line, rule, severity }))
    expect(seen.sort((a, b) => a.line - b.line)).toEqual(marked(code))
  })
})

describe('patterns', () => {
  it('are quiet where the module that makes a call dangerous is not used', async () => {
    const { remarks } = await runAnalyzer(patterns, { 'a.js': fixture('javascript-quiet') })
    expect(remarks).toEqual([])
  })

  it('tell line and column from 1', async () => {
    const { remarks } = await runAnalyzer(patterns, { 'a.py': 'import os\n\nif x:\n    os.system(f"ls {y}")\n' })
    expect(remarks).toMatchObject([{ file: 'a.py', line: 4, column: 5 }])
  })

  it('are notes in tests and examples', async () => {
    const ran = await runAnalyzer(patterns, { 'test/a.js': 'eval(x)', 'src/a.test.js': 'eval(x)', 'a.js': 'eval(x)' })
    expect(inShort(ran)).toEqual([
      'info devcycle/js-eval src/a.test.js:1',
      'info devcycle/js-eval test/a.js:1',
      'warning devcycle/js-eval a.js:1',
    ])
  })

  it('bear code that does not parse', async () => {
    const { remarks } = await runAnalyzer(patterns, {
      'a.ts': 'function (((\n',
      'b.py': 'def (:\n',
      'c.go': 'func {{{',
    })
    expect(remarks).toEqual([])
  })
})
