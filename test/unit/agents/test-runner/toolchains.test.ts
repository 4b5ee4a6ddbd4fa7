import { beforeAll, describe, expect, it } from 'vitest'
import { hostHas, hostSays, runAgent } from './run-agent.ts'

describe.runIf(hostHas('python3', '--version'))('a Python project', () => {
  const unittest = `import unittest


class SumTest(unittest.TestCase):
    def test_adds(self):
        self.assertEqual(1 + 1, 2)

    def test_adds_wrongly(self):
        self.assertEqual(1 + 1, 3)
`
  it('of unittest', async () => {
    const { result } = await runAgent({ 'tests/test_sum.py': unittest })
    expect(result).toMatchObject({ status: 'failed', passed: 1, failed: 1 })
    expect(result.failures).toEqual([
      {
        name: 'test_sum.SumTest.test_adds_wrongly',
        message: 'AssertionError: 2 != 3',
        file: 'tests/test_sum.py',
        line: 9,
      },
    ])
  })

  const pytest = { 'pyproject.toml': '[tool.pytest.ini_options]\n', 'src/sum.py': 'def add(a, b): return a + b\n' }

  it.runIf(hostHas('python3', '-c', 'import pytest'))('of pytest, its sources not installed', async () => {
    const { result } = await runAgent({
      ...pytest,
      'tests/test_sum.py': 'from sum import add\n\n\ndef test_adds():\n    assert add(1, 1) == 3\n',
    })
    expect(result).toMatchObject({ status: 'failed', failed: 1 })
    expect(result.failures[0]).toMatchObject({
      file: 'tests/test_sum.py',
      line: 5,
      message: 'assert 2 == 3\n +  where 2 = add(1, 1)',
    })
  })

  it.runIf(hostHas('python3', '-c', 'import pytest'))('of pytest that imports what is not installed', async () => {
    const { result } = await runAgent({ ...pytest, 'tests/test_sum.py': 'import not_there\n' })
    expect(result).toMatchObject({ status: 'error', failed: 1, failures: [{ file: 'tests/test_sum.py', line: 1 }] })
    expect(result.reason).toBe('not found: not_there: dependencies are not installed; pass install: true')
  })

  it.runIf(hostHas('python3', '-c', 'import pytest'))('of pytest without a test', async () => {
    expect((await runAgent(pytest)).result).toMatchObject({ status: 'no-tests' })
  })
})

describe.runIf(hostHas('go', 'version'))('a Go project', () => {
  /** The standard library compiled once and not for each test. */
  beforeAll(() => {
    process.env.GOCACHE = hostSays('go', 'env', 'GOCACHE')
  })
  it('gives paths from the root of the repository', { timeout: 120_000 }, async () => {
    const { result } = await runAgent({
      'go.mod': 'module example.com/sum\n\ngo 1.18\n',
      'inner/sum_test.go':
        'package inner\n\nimport "testing"\n\nfunc TestAdds(t *testing.T) {}\n\nfunc TestWrong(t *testing.T) {\n\tt.Fatal("boom")\n}\n',
    })
    expect(result).toMatchObject({ status: 'failed', passed: 1, failed: 1 })
    expect(result.failures).toEqual([
      { name: 'example.com/sum/inner.TestWrong', message: 'sum_test.go:8: boom', file: 'inner/sum_test.go', line: 8 },
    ])
  })
})

describe.runIf(hostHas('cargo', '--version'))('a Rust project', () => {
  it('is tested offline', { timeout: 120_000 }, async () => {
    const { result } = await runAgent({
      'Cargo.toml': '[package]\nname = "sum"\nversion = "0.1.0"\nedition = "2021"\n',
      'src/lib.rs': '#[test]\nfn adds() {\n    assert_eq!(1 + 1, 3);\n}\n',
    })
    expect(result).toMatchObject({ status: 'failed', passed: 0, failed: 1 })
    expect(result.failures[0]).toMatchObject({ name: 'adds', file: 'src/lib.rs', line: 3 })
  })
})
