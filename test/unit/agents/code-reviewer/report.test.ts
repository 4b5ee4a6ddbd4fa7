import { describe, expect, it } from 'vitest'
import type { Finding } from '#agent/agents/code-reviewer/finding.ts'
import { toMarkdown } from '#agent/agents/code-reviewer/report/markdown.ts'
import { toSarif } from '#agent/agents/code-reviewer/report/sarif.ts'
import { sarifErrors } from './sarif-errors.ts'

const findings: Finding[] = [
  {
    file: 'src/ä b#?.ts',
    line: 3,
    column: 5,
    severity: 'error',
    rule: 'eslint/no-const-assign',
    message: 'no | `assign` <b>',
    analyzer: 'javascript',
    helpUri: 'https://oxc.rs/x',
  },
  {
    file: 'src/b.ts',
    line: 1,
    endLine: 40,
    severity: 'info',
    rule: 'jscpd/duplicate',
    message: '40 lines repeat src/a.ts:1-40',
    analyzer: 'duplicates',
    related: { file: 'src/a.ts', line: 1, endLine: 40, message: 'the other place' },
  },
  { file: 'x.py', line: 1, severity: 'warning', rule: 'ruff/E722', message: 'bare except', analyzer: 'python' },
]
const analyzers = [
  { id: 'javascript', status: 'ran' as const, findings: 1 },
  { id: 'python', status: 'failed' as const, reason: 'it ended with SIGSEGV', findings: 1 },
  { id: 'lockfiles', status: 'skipped' as const, reason: 'no lockfiles', findings: 0 },
]
const head = 'a'.repeat(40)

describe('the SARIF report', () => {
  it('is valid by the schema of SARIF 2.1.0, full and empty', () => {
    expect(sarifErrors(toSarif({ findings, analyzers, head, source: 'https://example.com/a.git' }))).toEqual([])
    expect(sarifErrors(toSarif({ findings: [], analyzers: [], head }))).toEqual([])
    expect(sarifErrors({ version: '2.1.0', runs: [{ results: [] }] })).not.toEqual([])
  })

  it('says where, how serious, by which rule, and who could not look', () => {
    const [run] = toSarif({ findings, analyzers, head }).runs
    expect(run?.results.map(({ ruleId, level }) => `${level} ${ruleId}`)).toEqual([
      'error eslint/no-const-assign',
      'note jscpd/duplicate',
      'warning ruff/E722',
    ])
    expect(run?.results[0]?.locations?.[0]?.physicalLocation).toEqual({
      artifactLocation: { uri: 'src/%C3%A4%20b%23%3F.ts', uriBaseId: 'SRCROOT' },
      region: { startLine: 3, startColumn: 5 },
    })
    for (const { ruleId, ruleIndex = -1 } of run?.results ?? []) {
      expect(run?.tool.driver.rules?.[ruleIndex]?.id).toBe(ruleId)
    }
    expect(run?.invocations?.[0]?.executionSuccessful).toBe(false)
    expect(
      run?.invocations?.[0]?.toolExecutionNotifications?.map(({ level, message }) => `${level} ${message.text}`),
    ).toEqual(['error python failed: it ended with SIGSEGV', 'note lockfiles skipped: no lockfiles'])
  })

  it('knows a finding again after lines moved, and two alike apart', () => {
    const prints = (some: Finding[]) =>
      toSarif({ findings: some, analyzers, head }).runs[0]?.results.map(
        (one) => one.partialFingerprints?.['devcycle/v1'],
      )
    const [first] = findings as [Finding]
    const moved = { ...first, line: 90 }
    expect(prints([moved])).toEqual(prints([first]))
    expect(new Set(prints([first, moved, { ...first, rule: 'other/rule' }])).size).toBe(3)
  })
})

describe('the Markdown report', () => {
  const report = (some: Finding[]) => ({
    findings: some,
    counts: { error: 1, warning: 1, info: 1 },
    files: 12,
    lines: 345,
    skipped: { binary: 2, minified: 1 },
    analyzers,
    head,
  })

  it('begins with the numbers, and puts the serious first', () => {
    const text = toMarkdown({ ...report(findings), base: 'b'.repeat(40) })
    expect(text).toContain('**1 error, 1 warning, 1 note** in 12 files, 345 lines: lines changed since `bbbbbbbbbbbb`')
    expect(text.match(/^## .*$/gm)).toEqual(['## Errors', '## Warnings', '## Notes', '## Analyzers'])
    expect(text).toContain('| `x.py:1` | bare except | `ruff/E722` |')
    expect(text).toContain('| python | failed | 1 | it ended with SIGSEGV |')
    expect(text).toContain('Not looked at: 1 minified, 2 binary.')
  })

  it('lets no message or name break out of its cell', () => {
    const evil = { ...(findings[0] as Finding), file: 'a|b`c.ts', message: 'x | y\n# head [l](javascript:1) <img>' }
    const row = toMarkdown(report([evil]))
      .split('\n')
      .find((line) => line.includes('a\\|b'))
    expect(row).toBe(
      '| `` a\\|b`c.ts:3 `` | x \\| y \\# head \\[l\\](javascript:1) \\<img\\> | `eslint/no-const-assign` |',
    )
  })

  it('says how many it leaves out', () => {
    const many = Array.from({ length: 250 }, (_one, index) => ({ ...(findings[2] as Finding), line: index + 1 }))
    const text = toMarkdown({ ...report(many), counts: { error: 0, warning: 6000, info: 0 } })
    expect(text.match(/^\| `x\.py/gm)).toHaveLength(200)
    expect(text).toContain('5800 more, less serious or later in the order, are not in this table.')
  })
})
