import { describe, expect, it } from 'vitest'
import { createGoJsonReader } from '#agent/agents/test-runner/formats/go-json.ts'
import { parseJestJson } from '#agent/agents/test-runner/formats/jest-json.ts'
import { parseJunitXml } from '#agent/agents/test-runner/formats/junit-xml.ts'
import { recorded } from './recorded.ts'

describe('jest JSON', () => {
  it('is read as jest writes it', () => {
    expect(parseJestJson(recorded('jest.json'))).toEqual({
      passed: 2,
      failed: 3,
      skipped: 2,
      failures: [
        {
          name: '/project/js/jest/broken.test.js',
          message: "Cannot find module './does-not-exist' from 'broken.test.js'",
          file: '/project/js/jest/broken.test.js',
          line: 1,
        },
        {
          name: 'adds wrongly',
          message: 'Error: expect(received).toBe(expected) // Object.is equality\n\nExpected: 3\nReceived: 2',
          file: '/project/js/jest/sum.test.js',
          line: 4,
        },
        {
          name: 'a suite > throws a plain error',
          message: 'Error: boom: two\nlines',
          file: '/project/js/jest/sum.test.js',
          line: 10,
        },
      ],
    })
  })

  it('is read as vitest writes it', () => {
    const report = parseJestJson(recorded('vitest.json'))
    expect(report).toMatchObject({ passed: 2, failed: 3, skipped: 2 })
    expect(report?.failures.map(({ name, file, line }) => [name, file, line])).toEqual([
      ['/project/js/vitest/broken.test.js', '/project/js/vitest/broken.test.js', undefined],
      ['adds wrongly', '/project/js/vitest/sum.test.js', 5],
      ['a suite > throws a plain error', '/project/js/vitest/sum.test.js', 11],
    ])
  })

  it.each(['', '{', '[]', '{"testResults": 1}'])('is not %j', (text) => {
    expect(parseJestJson(text)).toBeUndefined()
  })
})

describe('JUnit XML', () => {
  it.each([
    ['surefire.xml', [1, 2, 1], ['sum.SumTest.addsWrongly', 'sum/SumTest.java', 17]],
    ['pytest-junit.xml', [2, 4, 2], ['tests.test_sum.test_adds_wrongly', 'tests/test_sum.py', 13]],
    ['pytest-collect-junit.xml', [0, 1, 0], ['tests.test_broken', 'tests/test_broken.py', 1]],
    ['vitest-junit.xml', [2, 3, 2], ['broken.test.js', 'broken.test.js', 2]],
    ['node20-junit.xml', [2, 5, 2], ['/project/js/node/broken.test.js', undefined, undefined]],
    ['node24-junit.xml', [2, 5, 2], ['node/broken.test.js', '/project/js/node/broken.test.js', undefined]],
  ])('of %s gives counts and places', (file, [passed, failed, skipped], first) => {
    const report = parseJunitXml(recorded(file))
    expect(report).toMatchObject({ passed, failed, skipped })
    expect(report?.failures.map(({ name, file: at, line }) => [name, at, line])[0]).toEqual(first)
  })

  it('keeps line breaks of messages and finds the frame of the test itself', () => {
    expect(parseJunitXml(recorded('surefire.xml'))?.failures[1]).toEqual({
      name: 'sum.SumTest.throwsSomething',
      message: 'boom: two\nlines',
      file: 'sum/SumTest.java',
      line: 22,
    })
  })

  it.each(['', 'plain', '<testsuite><testcase></testsuite>'])('is not %j', (text) => {
    expect(parseJunitXml(text)).toBeUndefined()
  })

  it('expands no entity that a document defines', () => {
    const bomb = `<!DOCTYPE a [<!ENTITY x "${'y'.repeat(1000)}"><!ENTITY z "${'&x;'.repeat(1000)}">]><testsuite><testcase name="${'&z;'.repeat(1000)}"/></testsuite>`
    let length = 0
    try {
      length = JSON.stringify(parseJunitXml(bomb))?.length ?? 0
    } catch {
      // refusing it is as good
    }
    expect(length).toBeLessThan(10_000)
  })
})

describe('events of go test', () => {
  const read = (module?: string) => {
    const reader = createGoJsonReader(module === undefined ? {} : { module })
    const shown = recorded('go-test.jsonl').split('\n').map(reader.line)
    return { report: reader.report(), shown: shown.filter((line) => line !== undefined) }
  }

  it('give counts of leaf tests, and paths from the root of the module', () => {
    const { report } = read('example.com/sum')
    expect(report).toMatchObject({ passed: 2, failed: 4, skipped: 1 })
    expect(report?.failures).toEqual([
      {
        name: 'example.com/sum.TestAddsWrongly',
        message: 'sum_test.go:17: Add(1, 1) = 2, want 3\n    second line',
        file: 'sum_test.go',
        line: 17,
      },
      {
        name: 'example.com/sum.TestTable/two_and_a_half',
        message: 'sum_test.go:24: boom',
        file: 'sum_test.go',
        line: 24,
      },
      {
        name: 'example.com/sum/inner.TestPanics',
        message: 'panic: assignment to entry in nil map [recovered, repanicked]',
        file: '/project/go/inner/inner_test.go',
        line: 7,
      },
      {
        name: 'example.com/sum/broken',
        message: 'broken/broken_test.go:6:2: undefined: undefinedFunction',
        file: 'broken/broken_test.go',
        line: 6,
      },
    ])
  })

  it('are shown as the text they carry', () => {
    expect(read().shown).toContain('    sum_test.go:17: Add(1, 1) = 2, want 3')
    expect(read().shown.join('\n')).not.toContain('"Action"')
  })

  it('lets through what is not an event', () => {
    const reader = createGoJsonReader()
    expect(reader.line('go: downloading example.com/x v1.0.0')).toBe('go: downloading example.com/x v1.0.0')
    expect(reader.report()).toBeUndefined()
  })

  it('keeps the end of what a noisy test prints', () => {
    const reader = createGoJsonReader()
    const event = (rest: object) => reader.line(JSON.stringify({ Package: 'p', Test: 'TestNoise', ...rest }))
    for (let at = 0; at < 100_000; at++) event({ Action: 'output', Output: `${'noise '.repeat(20)}${at}\n` })
    event({ Action: 'output', Output: '    noise_test.go:5: too loud\n' })
    event({ Action: 'fail' })
    expect(reader.report()?.failures).toEqual([
      { name: 'p.TestNoise', message: 'noise_test.go:5: too loud', file: 'p/noise_test.go', line: 5 },
    ])
  })
})
