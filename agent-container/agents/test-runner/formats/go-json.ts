import * as z from 'zod'
import { folderOf, goFailure } from './go-failure.ts'
import type { Report, TestFailure } from './report.ts'

const event = z.object({
  Action: z.string(),
  Package: z.string().optional(),
  ImportPath: z.string().optional(),
  Test: z.string().optional(),
  Output: z.string().optional(),
  FailedBuild: z.string().optional(),
})
type GoEvent = z.infer<typeof event>

/** The last pieces of one test's output are kept, and no piece whole that is longer than a screen. */
const maxPieces = 500
const maxPiece = 2000

/** Reads the events of `go test -json` line by line, and keeps the output of what has not passed. */
export const createGoJsonReader = ({ module }: { module?: string } = {}) => {
  const output = new Map<string, string[]>()
  const outcomes = new Map<string, GoEvent>()

  const remember = (key: string, text: string) => {
    const pieces = output.get(key) ?? []
    pieces.push(text.slice(0, maxPiece))
    output.set(key, pieces.length > 2 * maxPieces ? pieces.slice(-maxPieces) : pieces)
  }
  const record = (one: GoEvent) => {
    const key = keyOf(one)
    if (one.Output !== undefined) remember(key, one.Output)
    if (!['pass', 'fail', 'skip'].includes(one.Action)) return
    outcomes.set(key, one)
    if (one.Action !== 'fail') output.delete(key)
  }

  return {
    /** Answers what a person would have seen instead of the line, `undefined` for nothing. */
    line: (text: string): string | undefined => {
      const parsed = event.safeParse(parseJson(text))
      if (!parsed.success) return text
      record(parsed.data)
      return parsed.data.Output?.replace(/\n$/, '')
    },
    /** `undefined` when there was no event at all. */
    report: (): Report | undefined => (outcomes.size === 0 ? undefined : summarize(outcomes, output, module)),
  }
}

const keyOf = ({ Package, ImportPath, Test }: GoEvent) => `${Package ?? ImportPath ?? ''}\n${Test ?? ''}`

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A test with subtests is their container and is not counted. */
const leafTests = (outcomes: Map<string, GoEvent>): GoEvent[] => {
  const containers = new Set<string>()
  for (const one of outcomes.values()) {
    const parts = one.Test?.split('/') ?? []
    for (let depth = 1; depth < parts.length; depth++)
      containers.add(keyOf({ ...one, Test: parts.slice(0, depth).join('/') }))
  }
  return [...outcomes.values()].filter((one) => one.Test !== undefined && !containers.has(keyOf(one)))
}

const summarize = (outcomes: Map<string, GoEvent>, output: Map<string, string[]>, module?: string): Report => {
  const tests = leafTests(outcomes)
  const failedTests = tests.filter((test) => test.Action === 'fail')
  const withFailure = new Set(failedTests.map((test) => test.Package))
  const failedPackages = [...outcomes.values()].filter(
    (one) => one.Test === undefined && one.Action === 'fail' && !withFailure.has(one.Package),
  )
  const failures = [...failedTests, ...failedPackages].map((one) => failureOf(one, output, module))
  return {
    passed: tests.filter((test) => test.Action === 'pass').length,
    failed: failures.length,
    skipped: tests.filter((test) => test.Action === 'skip').length,
    failures,
  }
}

const failureOf = (one: GoEvent, output: Map<string, string[]>, module?: string): TestFailure => {
  const packageName = one.Package ?? ''
  const build = one.FailedBuild === undefined ? [] : (output.get(`${one.FailedBuild}\n`) ?? [])
  const name = one.Test === undefined ? packageName : `${packageName}.${one.Test}`
  return goFailure(name, [...build, ...(output.get(keyOf(one)) ?? [])], folderOf(packageName, module))
}
