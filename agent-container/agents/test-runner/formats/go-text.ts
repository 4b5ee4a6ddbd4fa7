import { cutBlocks } from './blocks.ts'
import { goFailure } from './go-failure.ts'
import type { TextFormat } from './report.ts'

const packageLine = /^(ok {2}|FAIL)\t(\S+)(?:\t[\d.]+s|\t\(cached\)| \[.*\])/
const verdictLine = /^ *--- (PASS|FAIL|SKIP): (\S+) \([\d.]+s\)$/
const runningLine = /^=== (?:RUN|NAME|CONT) +(\S+)$/
const compilerLine = /^\S+\.go:\d+/

type Test = { name: string; verdict: string | undefined; lines: string[] }
type Package = { name: string; ok: boolean; lines: string[] }

/** A package's lines come before the line that names it. */
const packagesOf = (text: string): Package[] => {
  const packages: Package[] = []
  const lines: string[] = []
  for (const line of text.split('\n')) {
    const [, end, name] = packageLine.exec(line) ?? []
    if (name === undefined) lines.push(line)
    else packages.push({ name, ok: end !== 'FAIL', lines: lines.splice(0) })
  }
  return packages
}

const testLine = (line: string) => {
  const [, verdict, ended] = verdictLine.exec(line) ?? []
  const name = ended ?? runningLine.exec(line)?.[1]
  return name === undefined ? undefined : { name, verdict }
}

/** Lines belong to the test that was named last, by its start or its verdict. */
const testsOf = ({ lines }: Package): Test[] => {
  const tests = new Map<string, Test>()
  for (const { head, lines: piece } of cutBlocks(lines.join('\n'), { open: testLine })) {
    const known = tests.get(head.name)
    tests.set(head.name, {
      name: head.name,
      verdict: head.verdict ?? known?.verdict,
      lines: [...(known?.lines ?? []), ...piece],
    })
  }
  return [...tests.values()]
}

/** A test with subtests is their container and is not counted. */
const leavesOf = (one: Package): Test[] => {
  const tests = testsOf(one)
  return tests.filter(({ name }) => !tests.some((other) => other.name.startsWith(`${name}/`)))
}

/** What did not compile is printed under `# package`, before anything runs. */
const compilerErrors = (text: string, name: string): string[] => {
  const open = (line: string) => /^# (\S+)/.exec(line)?.[1]
  const blocks = cutBlocks(text, { open, closes: (line) => !compilerLine.test(line) && !line.startsWith('\t') })
  return blocks.find(({ head }) => head === name)?.lines ?? []
}

const failuresOf = (one: Package, text: string) => {
  const failed = leavesOf(one).filter((test) => test.verdict === 'FAIL')
  if (failed.length > 0) return failed.map(({ name, lines }) => goFailure(`${one.name}.${name}`, lines, one.name))
  if (one.ok) return []
  const errors = compilerErrors(text, one.name)
  return [goFailure(one.name, errors.length > 0 ? errors : one.lines, one.name)]
}

/** What `go test` prints. Without `-v` it names no test that passed: then each package that passed counts as one. */
export const parseGoText: TextFormat = (text) => {
  const packages = packagesOf(text)
  if (packages.length === 0) return undefined
  const failures = packages.flatMap((one) => failuresOf(one, text))
  const count = (verdict: string) => packages.flatMap(leavesOf).filter((test) => test.verdict === verdict).length
  const passed = count('PASS') || packages.filter((one) => one.ok).length
  return { passed, failed: failures.length, skipped: count('SKIP'), failures }
}
