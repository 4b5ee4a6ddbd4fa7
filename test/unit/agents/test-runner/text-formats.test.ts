import { describe, expect, it, test } from 'vitest'
import type { Report } from '#agent/agents/test-runner/formats/report.ts'
import { parseText } from '#agent/agents/test-runner/formats/text-formats.ts'
import { recorded } from './recorded.ts'

const numbers = ({ passed, failed, skipped }: Report) => ({ passed, failed, skipped })
const places = ({ failures }: Report) => failures.map(({ name, file, line }) => [name, file, line])
const read = (name: string): Report => {
  const report = parseText(recorded(name))
  if (!report) throw new Error(`${name} was not recognised`)
  return report
}
const messageOf = (report: Report, name: string) => report.failures.find((failure) => failure.name === name)?.message

type Row = [string, [number, number, number], [string, string | undefined, number | undefined][]]

const nodePlaces = (broken: string, inSuite: string, folder: string): Row[2] => [
  [broken, inSuite.includes('>') ? `${folder}broken.test.js` : 'node/broken.test.js', 1],
  ['adds wrongly', '/project/js/node/sum.test.js', 7],
  [inSuite, '/project/js/node/sum.test.js', 13],
  ['rejects', '/project/js/node/sum.test.js', 19],
  ['hangs', `${folder}sum.test.js`, 21],
]
const absolute = '/project/js/node/'
const pytestPlaces: Row[2] = [
  ['tests/test_sum.py::test_adds_wrongly', 'tests/test_sum.py', 13],
  ['tests/test_sum.py::test_number[2]', 'tests/test_sum.py', 18],
  ['tests/test_sum.py::TestSuite::test_raises', 'tests/test_sum.py', 24],
  ['tests/test_sum.py::test_needs_database', 'tests/test_sum.py', 37],
]
const goPlaces: Row[2] = [
  ['example.com/sum.TestAddsWrongly', 'example.com/sum/sum_test.go', 17],
  ['example.com/sum.TestTable/two_and_a_half', 'example.com/sum/sum_test.go', 24],
  ['example.com/sum/broken', 'broken/broken_test.go', 6],
  ['example.com/sum/inner.TestPanics', '/project/go/inner/inner_test.go', 7],
]
const unittestPlaces: Row[2] = [
  ['unittest.loader._FailedTest.test_broken', '/project/py/test_broken.py', 1],
  ['test_sum.SumTest.test_raises', '/project/py/test_sum.py', 18],
  ['test_sum.SumTest.test_adds_wrongly', '/project/py/test_sum.py', 14],
  ['test_sum.SumTest.test_parts (number=2)', '/project/py/test_sum.py', 31],
]

const rows: Row[] = [
  [
    'vitest.txt',
    [2, 3, 2],
    [
      ['broken.test.js', 'broken.test.js', 2],
      ['adds wrongly', 'sum.test.js', 5],
      ['a suite > throws a plain error', 'sum.test.js', 11],
    ],
  ],
  [
    'jest.txt',
    [2, 3, 2],
    [
      ['adds wrongly', 'jest/sum.test.js', 4],
      ['a suite > throws a plain error', 'jest/sum.test.js', 10],
      ['jest/broken.test.js', 'jest/broken.test.js', 1],
    ],
  ],
  ['node20-spec.txt', [2, 5, 2], nodePlaces('/project/js/node/broken.test.js', 'throws a plain error', 'node/')],
  ['node24-spec.txt', [2, 5, 2], nodePlaces('node/broken.test.js', 'throws a plain error', 'node/')],
  [
    'node20-tap.txt',
    [2, 5, 2],
    nodePlaces('/project/js/node/broken.test.js', 'a suite > throws a plain error', absolute),
  ],
  ['node24-tap.txt', [2, 5, 2], nodePlaces('node/broken.test.js', 'a suite > throws a plain error', absolute)],
  [
    'mocha.txt',
    [2, 3, 2],
    [
      ['adds wrongly', 'mocha/sum.test.js', 4],
      ['a suite > throws a plain error', 'mocha/sum.test.js', 10],
      ['a suite > inner > "before all" hook for "never runs"', 'mocha/sum.test.js', 15],
    ],
  ],
  [
    'ava.txt',
    [1, 2, 2],
    [
      ['adds wrongly', 'ava/sum.test.mjs', 4],
      ['throws', '/project/js/ava/sum.test.mjs', 6],
    ],
  ],
  [
    'ava-tap.txt',
    [1, 2, 2],
    [
      ['adds wrongly', undefined, undefined],
      ['throws', '/project/js/ava/sum.test.mjs', 6],
    ],
  ],
  ['pytest.txt', [2, 4, 2], pytestPlaces],
  ['pytest-quiet.txt', [2, 4, 2], pytestPlaces],
  ['pytest-collect.txt', [0, 1, 0], [['tests/test_broken.py', 'tests/test_broken.py', 1]]],
  ['unittest.txt', [1, 4, 2], unittestPlaces],
  ['unittest-quiet.txt', [1, 4, 2], unittestPlaces],
  ['go-test.txt', [0, 4, 0], goPlaces],
  ['go-test-v.txt', [2, 4, 1], goPlaces],
  [
    'cargo.txt',
    [2, 3, 1],
    [
      ['tests::adds_wrongly', 'src/lib.rs', 20],
      ['tests::returns_an_error', undefined, undefined],
      ['works_from_outside', 'tests/whole.rs', 3],
    ],
  ],
  ['cargo-build.txt', [0, 1, 0], [['src/lib.rs', 'src/lib.rs', 32]]],
  [
    'maven-build.txt',
    [0, 1, 0],
    [['/project/java/src/main/java/sum/Sum.java', '/project/java/src/main/java/sum/Sum.java', 5]],
  ],
]

describe('recorded output', () => {
  test.each(rows)('%s gives its counts and where each failure is', (name, [passed, failed, skipped], expected) => {
    const report = read(name)
    expect(numbers(report)).toEqual({ passed, failed, skipped })
    expect(places(report)).toEqual(expected)
  })

  test.each([
    [
      'vitest.txt',
      'adds wrongly',
      'AssertionError: expected 2 to be 3 // Object.is equality\n\n- Expected\n+ Received\n\n- 3\n+ 2',
    ],
    ['jest.txt', 'adds wrongly', 'expect(received).toBe(expected) // Object.is equality\n\nExpected: 3\nReceived: 2'],
    ['jest.txt', 'jest/broken.test.js', "Cannot find module './does-not-exist' from 'broken.test.js'"],
    ['node24-spec.txt', 'rejects', 'TypeError: not a function'],
    ['node24-spec.txt', 'hangs', 'test timed out after 50ms'],
    ['node24-tap.txt', 'a suite > throws a plain error', 'boom: two\nlines'],
    ['mocha.txt', 'a suite > throws a plain error', 'Error: boom: two\nlines'],
    ['ava.txt', 'adds wrongly', 'Difference (- actual, + expected):\n\n- 2\n+ 3'],
    ['pytest.txt', 'tests/test_sum.py::test_adds_wrongly', 'assert 2 == 3\n +  where 2 = add(1, 1)'],
    ['pytest-collect.txt', 'tests/test_broken.py', "ModuleNotFoundError: No module named 'does_not_exist'"],
    ['unittest.txt', 'test_sum.SumTest.test_raises', 'ValueError: boom: two\nlines'],
    ['go-test.txt', 'example.com/sum.TestAddsWrongly', 'sum_test.go:17: Add(1, 1) = 2, want 3\n    second line'],
    [
      'go-test-v.txt',
      'example.com/sum/inner.TestPanics',
      'panic: assignment to entry in nil map [recovered, repanicked]',
    ],
    ['go-test-v.txt', 'example.com/sum/broken', 'broken/broken_test.go:6:2: undefined: undefinedFunction'],
    ['cargo.txt', 'tests::adds_wrongly', 'assertion `left == right` failed: two\nlines\n  left: 2\n right: 3'],
    ['cargo-build.txt', 'src/lib.rs', 'mismatched types'],
  ])('%s says why %s failed', (file, name, message) => {
    expect(messageOf(read(file), name)).toBe(message)
  })
})

describe('any text', () => {
  it('adds up the tools of a script that runs several', () => {
    const both = `${recorded('pytest.txt')}\n${recorded('cargo.txt')}`
    expect(numbers(parseText(both) as Report)).toEqual({ passed: 4, failed: 7, skipped: 3 })
  })

  it('is not taken for a report when it only mentions tests', () => {
    expect(parseText('5 tests passed, 2 failed\nFAIL everything\nok then\nnot ok 1 - really')).toBeUndefined()
  })

  it('reads lines that end in carriage returns', () => {
    const report = parseText(recorded('mocha.txt').replaceAll('\n', '\r\n'))
    expect(report && numbers(report)).toEqual({ passed: 2, failed: 3, skipped: 2 })
  })

  it('is read in time that grows with its length, whatever it holds', () => {
    const all = rows.map(([name]) => recorded(name)).join('\n')
    const started = performance.now()
    for (const piece of ['(', ' at ', '  1) ', '❯ ', '_', '=', 'E ', '\n', '\n ', '(((a:1:1', 'not ok '])
      parseText(`${all}\n${piece.repeat(200_000)}`)
    expect(performance.now() - started).toBeLessThan(10_000)
  })
})
