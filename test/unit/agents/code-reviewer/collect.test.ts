import { describe, expect, it } from 'vitest'
import { createCollection } from '#agent/agents/code-reviewer/collect.ts'
import type { Finding, Severity } from '#agent/agents/code-reviewer/finding.ts'
import { createMask } from '#agent/agents/code-reviewer/mask.ts'

const aFinding = (change: Partial<Finding> = {}): Finding => ({
  file: 'a.ts',
  line: 1,
  severity: 'warning',
  rule: 'x/y',
  message: 'm',
  analyzer: 'patterns',
  ...change,
})

describe('a collection of findings', () => {
  it('orders by file, line, column and rule', () => {
    const collection = createCollection({ least: 'info' })
    const wanted = [
      aFinding({ file: 'B.ts', line: 9 }),
      aFinding({ file: 'a.ts', line: 2, column: 1, rule: 'a/a' }),
      aFinding({ file: 'a.ts', line: 2, column: 1, rule: 'b/b' }),
      aFinding({ file: 'a.ts', line: 2, column: 7 }),
      aFinding({ file: 'a.ts', line: 10 }),
    ]
    for (const finding of wanted.toReversed()) collection.add(finding)
    expect(collection.findings()).toEqual(wanted)
  })

  it('leaves out what is below the least severity and what was told before', () => {
    const told: Finding[] = []
    const collection = createCollection({ least: 'warning', onFinding: (finding) => told.push(finding) })
    for (const severity of ['info', 'warning', 'warning', 'error'] as Severity[]) collection.add(aFinding({ severity }))
    collection.add(aFinding({ severity: 'error', message: 'another' }))
    expect(collection.counts).toEqual({ error: 1, warning: 1, info: 0 })
    expect(told).toHaveLength(2)
    expect([collection.countOf('patterns'), collection.countOf('python')]).toEqual([2, 0])
  })

  it('keeps the most serious of too many, whatever their order, and counts all', () => {
    const many = Array.from({ length: 500 }, (_one, index) =>
      aFinding({ line: index + 1, severity: index % 50 === 0 ? 'error' : index % 2 === 0 ? 'warning' : 'info' }),
    )
    const keptOf = (findings: Finding[]) => {
      const collection = createCollection({ least: 'info', keep: 20 })
      for (const finding of findings) collection.add(finding)
      expect(collection.counts).toEqual({ error: 10, warning: 240, info: 250 })
      return collection.findings()
    }
    const kept = keptOf(many)
    expect(kept.filter(({ severity }) => severity === 'error')).toHaveLength(10)
    expect(kept.filter(({ severity }) => severity === 'warning').map(({ line }) => line)).toEqual([
      3, 5, 7, 9, 11, 13, 15, 17, 19, 21,
    ])
    expect(keptOf(many.toReversed())).toEqual(kept)
  })
})

describe('the mask', () => {
  it('hides every secret it knows, line by line, wherever it stands', () => {
    const mask = createMask()
    mask.add('hunter2-hunter2')
    mask.add('first line of a key\nsecond line of a key\n')
    expect(mask.apply('a hunter2-hunter2, hunter2-hunter2 and second line of a key')).toBe('a ***, *** and ***')
  })

  it('does not take a few letters for a secret', () => {
    const mask = createMask()
    mask.add('a\nabc')
    expect(mask.apply('abc a')).toBe('abc a')
  })
})
