import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { javascript } from '#agent/agents/code-reviewer/analyzers/javascript.ts'
import { javascriptRules } from '#agent/agents/code-reviewer/analyzers/javascript-rules.ts'
import { inShort, runAnalyzer } from './run-analyzer.ts'

describe('the JavaScript analyzer', () => {
  it('asks for rules that oxlint has', () => {
    const oxlint = path.join(import.meta.dirname, '../../../../node_modules/oxlint/bin/oxlint')
    const listed = execFileSync(process.execPath, [oxlint, '--rules'], { encoding: 'utf8' })
    const rows = [...listed.matchAll(/^\| ([\w-]+) +\| (\w+)/gm)]
    const known = new Set(rows.map(([, name, plugin]) => (plugin === 'eslint' ? name : `${plugin}/${name}`)))
    expect(Object.keys(javascriptRules).filter((rule) => !known.has(rule))).toEqual([])
  })

  it('tells mistakes by how serious they are, in every dialect', async () => {
    const ran = await runAnalyzer(javascript, {
      'a.ts': 'const x: number = 1\nx = 2\nexport type T = typeof x\n',
      'b.jsx': 'export const a = () => { debugger; return <b>hi</b> }\n',
      'c.mjs': "import fs from 'node:fs'\nexport default {\n  a: 1,\n  a: 2 }\n",
      'd.tsx': 'export const f = (n: number) => <i>{n === NaN}</i>\n',
    })
    expect(inShort(ran)).toEqual([
      'error eslint/no-const-assign a.ts:2',
      'error eslint/no-dupe-keys c.mjs:4',
      'error eslint/use-isnan d.tsx:1',
      'info eslint/no-unused-vars c.mjs:1',
      'warning eslint/no-debugger b.jsx:1',
    ])
    expect(ran.remarks.find(({ file }) => file === 'b.jsx')).toMatchObject({
      column: 26,
      helpUri: expect.stringMatching(/^https:.*no-debugger/),
    })
  })

  it('takes tests less seriously', async () => {
    const code = 'export const x = 1\nx = 2\nexport const a = [1, , 2]\n'
    const ran = await runAnalyzer(javascript, { 'a.js': code, 'a.test.js': code })
    expect(inShort(ran)).toEqual([
      'error eslint/no-const-assign a.js:2',
      'warning eslint/no-const-assign a.test.js:2',
      'warning eslint/no-sparse-arrays a.js:3',
    ])
  })

  it('says nothing of taste, of parameters, of caught errors and of what an author allowed', async () => {
    const { remarks } = await runAnalyzer(javascript, {
      'a.js': [
        'var a = 1; if (a == 2) console.log("x"); else { alert() }',
        'export function f(unused) { try { a() } catch (error) {} }',
        'export const { gone, ...rest } = a',
        '// eslint-disable-next-line no-debugger',
        'debugger',
        'export const isNumber = (x) => x === x',
      ].join('\n'),
    })
    expect(remarks).toEqual([])
  })

  it('tells a file that cannot be parsed, unless it is Flow or a test', async () => {
    const ran = await runAnalyzer(javascript, {
      'a.js': 'const a = ;\n',
      'b.js': '/* @flow */\nopaque type A: string = string\n',
      'test/c.js': 'const a = ;\n',
    })
    expect(inShort(ran)).toEqual(['error oxlint/syntax-error a.js:1', 'info oxlint/syntax-error test/c.js:1'])
  })

  it('reads no configuration and runs no plugin of the repository', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'marker-'))
    const marker = path.join(folder, 'ran')
    const plugin = `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(marker)}, ''); export default {}`
    try {
      const ran = await runAnalyzer(javascript, {
        '.oxlintrc.json': '{"jsPlugins":["./plugin.js"],"rules":{"no-debugger":"off","no-var":"error"}}',
        'src/.oxlintrc.json': '{"jsPlugins":["../plugin.js"],"rules":{"no-debugger":"off"}}',
        'oxlint.config.ts': plugin,
        'plugin.js': plugin,
        '.eslintignore': '*',
        'package.json': '{"type":"module"}',
        'src/a.js': 'debugger\nvar a = 1\nexport { a }\n',
      })
      expect(inShort(ran)).toEqual(['warning eslint/no-debugger src/a.js:1'])
      expect(existsSync(marker)).toBe(false)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('takes names that look like options, or are strange, as files', async () => {
    const ran = await runAnalyzer(javascript, { '--fix.js': 'debugger\n', 'a b/ü"$(x).js': 'debugger\n' })
    expect(inShort(ran)).toEqual([
      'warning eslint/no-debugger --fix.js:1',
      'warning eslint/no-debugger a b/ü"$(x).js:1',
    ])
  })

  it('looks at more files than fit one call, and ends when the task is cancelled', async () => {
    const files = Object.fromEntries(Array.from({ length: 450 }, (_one, index) => [`f${index}.js`, 'debugger\n']))
    expect((await runAnalyzer(javascript, files)).remarks).toHaveLength(450)
    const signal = AbortSignal.abort()
    await expect(runAnalyzer(javascript, { 'a.js': 'x' }, { signal })).rejects.toMatchObject({ name: 'AbortError' })
  })
})
