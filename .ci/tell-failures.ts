/** A reporter of vitest: writes what failed, each by its full name and its message, to the file `FAILURES_FILE`. */
import { writeFileSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'
import type { SerializedError } from 'vitest'
import type { Reporter, TestModule } from 'vitest/node'

type Failure = { name: string; errors: readonly SerializedError[] }

/** So many lines of messages are told of all failures together, and of each a share of them. */
const linesOfAll = 200
const mostOfOne = 14
const widest = 300

/** A file that does not load and a hook that fails end tests that are never reported as failed. */
const failuresOf = (module: TestModule): Failure[] => {
  const file = module.relativeModuleId
  const suites = [...module.children.allSuites()].map((suite) => ({ name: suite.fullName, errors: suite.errors() }))
  const tests = [...module.children.allTests()].map((test) => ({
    name: test.fullName,
    errors: test.result().errors ?? [],
  }))
  const inside = [...suites, ...tests].map(({ name, errors }) => ({ name: `${file} > ${name}`, errors }))
  return [{ name: file, errors: module.errors() }, ...inside].filter(({ errors }) => errors.length > 0)
}

const placeOf = ({ stacks = [] }: SerializedError): string[] => {
  const [place] = stacks
  return place ? [`at ${place.file}:${place.line}`] : []
}

const linesOf = (error: SerializedError): string[] =>
  [...stripVTControlCharacters(`${error.message}\n${error.diff ?? ''}`).split('\n'), ...placeOf(error)]
    .filter((line) => line.trim() !== '')
    .map((line) => `    ${line.slice(0, widest)}`)

const tell = (failures: Failure[]): string => {
  const share = Math.min(mostOfOne, Math.max(1, Math.floor(linesOfAll / failures.length)))
  return failures
    .flatMap(({ name, errors }) => [`✗ ${name}`, ...errors.flatMap(linesOf).slice(0, share)])
    .map((line) => `${line}\n`)
    .join('')
}

export default class TellFailures implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const outside = unhandled.map((error) => ({ name: 'an error outside of every test', errors: [error] }))
    writeFileSync(process.env.FAILURES_FILE ?? 'failures.txt', tell([...modules.flatMap(failuresOf), ...outside]))
  }
}
