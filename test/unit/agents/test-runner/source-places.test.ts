import { afterEach, expect, it } from 'vitest'
import { locateSources } from '#agent/agents/test-runner/source-places.ts'
import { aRepository, type TestRepository } from '#test/support/git-repository.ts'
import { recorded } from './recorded.ts'
import { runAgent } from './run-agent.ts'

let repository: TestRepository | undefined
afterEach(() => repository?.remove())

const located = async (files: string[], printed: string) => {
  repository = aRepository(Object.fromEntries(files.map((file) => [file, ''])))
  const file = printed.replace('<root>', repository.folder)
  const [failure] = await locateSources([{ name: file, message: '', file, line: 3 }], repository.folder)
  return failure?.file?.replace(repository.folder, '<root>')
}

it.each([
  ['as it is', ['a/b.ts', 'b.ts'], 'a/b.ts', 'a/b.ts'],
  ['an absolute path', ['a/b.ts', 'b.ts'], '<root>/a/b.ts', 'a/b.ts'],
  ['a path from a folder below', ['packages/one/test/b.ts'], 'test/b.ts', 'packages/one/test/b.ts'],
  ['a class path', ['src/test/java/sum/SumTest.java'], 'sum/SumTest.java', 'src/test/java/sum/SumTest.java'],
  [
    'a package path',
    ['inner/sum_test.go', 'other/sum_test.go'],
    'example.com/sum/inner/sum_test.go',
    'inner/sum_test.go',
  ],
  ['what could be two files', ['one/b.ts', 'two/b.ts'], 'test/b.ts', 'test/b.ts'],
  ['what is not in the repository', ['a.ts'], '/usr/lib/x.py', '/usr/lib/x.py'],
])('finds %s', async (_what, files, printed, expected) => {
  expect(await located(files, printed)).toBe(expected)
})

it('does not look behind links, nor into what was installed', async () => {
  repository = aRepository({ 'node_modules/x/b.ts': '', 'a.ts': '' })
  expect((await locateSources([{ name: '', message: '', file: 'x/b.ts' }], repository.folder))[0]?.file).toBe('x/b.ts')
})

const report = recorded('surefire.xml')
const build = [
  'sh',
  '-c',
  'mkdir -p target/surefire-reports && cp report.xml target/surefire-reports/TEST-sum.xml; exit 1',
]

it('reads reports that a command of the task leaves behind', async () => {
  const files = { 'report.xml': report, 'src/test/java/sum/SumTest.java': '' }
  const { result } = await runAgent(files, { input: { command: build } })
  expect(result).toMatchObject({ status: 'failed', passed: 1, failed: 2, skipped: 1 })
  expect(result.failures[0]).toMatchObject({ file: 'src/test/java/sum/SumTest.java', line: 17 })
})

it('does not take a report of the repository for one of this run', async () => {
  const { result } = await runAgent(
    { 'target/surefire-reports/TEST-sum.xml': report },
    { input: { command: ['sh', '-c', 'sleep 0.1; exit 0'] } },
  )
  expect(result).toMatchObject({ status: 'passed', passed: 0, failed: 0 })
})
