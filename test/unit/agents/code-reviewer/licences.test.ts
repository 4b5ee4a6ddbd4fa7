import { describe, expect, it } from 'vitest'
import { judge } from '#agent/agents/code-reviewer/analyzers/licences/spdx.ts'
import { licences } from '#agent/agents/code-reviewer/analyzers/licences.ts'
import { inShort, runAnalyzer } from './run-analyzer.ts'

const manifest = (change: object) => JSON.stringify({ name: 'x', ...change }, null, 2)
const lock = (packages: Record<string, object>) => JSON.stringify({ lockfileVersion: 3, packages }, null, 2)

describe('the judgement of a licence', () => {
  it.each([
    ['MIT', 'fine'],
    ['LGPL-3.0-or-later', 'fine'],
    ['(MIT OR GPL-3.0-only)', 'fine'],
    ['GPL-2.0-only WITH Classpath-exception-2.0', 'fine'],
    ['GPL-3.0', 'copyleft'],
    ['MIT AND GPL-2.0-or-later', 'copyleft'],
    ['AGPL-3.0-only', 'copyleft'],
    ['SSPL-1.0', 'copyleft'],
    ['LicenseRef-acme', 'unclear'],
    ['Public Domain', 'unclear'],
    ['', 'unclear'],
  ])('of %s is %s', (expression, judgement) => {
    expect(judge(expression)).toBe(judgement)
  })
})

describe('the licence analyzer', () => {
  it('misses a licence only where neither a file nor a manifest has one', async () => {
    const bare = manifest({ version: '1.0.0' })
    const of = async (files: Record<string, string>) => inShort(await runAnalyzer(licences, files))
    expect(await of({ 'package.json': bare })).toEqual(['warning licence/not-declared package.json:1'])
    expect(await of({ 'package.json': manifest({ private: true }) })).toEqual([
      'info licence/not-declared package.json:1',
    ])
    expect(await of({ 'go.mod': 'module x\n' })).toEqual(['warning licence/not-declared go.mod:1'])
    for (const name of ['LICENSE', 'LICENCE.md', 'COPYING', 'license.txt', 'LICENSE-MIT', 'LICENSES/MIT.txt']) {
      expect(await of({ 'package.json': bare, [name]: 'text\n' })).toEqual([])
    }
    expect(await of({ 'package.json': manifest({ license: 'MIT' }) })).toEqual([])
    expect(await of({ 'pyproject.toml': '[project]\nlicense = "MIT"\n' })).toEqual([])
    expect(await of({ 'Cargo.toml': '[package]\nname = "x"\n' })).toEqual(['warning licence/not-declared Cargo.toml:1'])
  })

  it('tells expressions that programs cannot read, where they stand', async () => {
    const ran = await runAnalyzer(licences, { 'package.json': manifest({ license: 'Apache 2.0' }) })
    expect(inShort(ran)).toEqual(['warning licence/not-spdx package.json:3'])
    for (const license of ['(MIT OR Apache-2.0)', 'UNLICENSED', 'SEE LICENSE IN TERMS.md', 'LicenseRef-acme']) {
      expect((await runAnalyzer(licences, { 'package.json': manifest({ license }) })).remarks).toEqual([])
    }
  })

  it('tells dependencies whose terms spread, or are unclear, unless they are for development only', async () => {
    const packages = {
      '': {},
      'node_modules/fine': { license: 'MIT' },
      'node_modules/old': { license: { type: 'MIT' } },
      'node_modules/older': { license: [{ type: 'GPL-3.0' }, { type: 'MIT' }] },
      'node_modules/@a/spreads': { license: 'AGPL-3.0-only' },
      'node_modules/b/node_modules/unclear': { license: 'SEE LICENSE IN LICENSE.md' },
      'node_modules/tool': { license: 'GPL-3.0', dev: true },
      'node_modules/unknown': {},
    }
    const files = { 'package.json': manifest({ license: 'MIT' }), 'package-lock.json': lock(packages) }
    const ran = await runAnalyzer(licences, files)
    expect(ran.remarks.map(({ severity, rule, line, message }) => ({ severity, rule, line, message }))).toEqual([
      {
        severity: 'warning',
        rule: 'licence/copyleft-dependency',
        line: 23,
        message:
          '@a/spreads is under AGPL-3.0-only: what is distributed or offered with it must be under the same terms',
      },
      {
        severity: 'info',
        rule: 'licence/unclear-dependency',
        line: 26,
        message: 'unclear is under SEE LICENSE IN LICENSE.md: read what it allows',
      },
    ])
  })

  it('lets dependencies be that are under the terms of the project itself', async () => {
    const packages = { 'node_modules/a': { license: 'GPL-3.0-only' } }
    const files = { 'package.json': manifest({ license: 'GPL-3.0-or-later' }), 'package-lock.json': lock(packages) }
    expect((await runAnalyzer(licences, files)).remarks).toEqual([])
  })

  it('says which dependencies it cannot judge offline', async () => {
    const ran = await runAnalyzer(licences, { 'go.mod': 'module x\n', LICENSE: 'x', 'pyproject.toml': '' })
    expect(ran.notes).toEqual(['licences of Go, Python dependencies are not in their lockfiles: not checked'])
  })

  it('bears manifests and lockfiles that are broken', async () => {
    const files = { 'package.json': '{ "license":', 'package-lock.json': '[', LICENSE: 'x', 'a/package.json': '42' }
    expect((await runAnalyzer(licences, files)).remarks).toEqual([])
  })
})
