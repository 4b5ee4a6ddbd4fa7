import { limits, type TestStatus } from './contract.ts'
import { dependenciesMissing } from './find/plan.ts'
import type { Report } from './formats/report.ts'
import type { Ending } from './process/run-command.ts'

export type Execution = {
  command: string[]
  ending: Ending
  /** Beginning and end of what was printed, control characters removed. */
  text: string
  /** The last lines of it. */
  tail: string
  report: Report | undefined
  durationMs: number
}
export type Conclusion = { status: TestStatus; reason?: string; report: Report }

type Facts = Execution & {
  /** The project has dependencies to install and the task did not ask for it. */
  uninstalled: boolean
  timeoutSeconds: number
  memoryMb: number
}

const nothing: Report = { passed: 0, failed: 0, skipped: 0, failures: [] }

const commandNotFound = /(?:^|[/ ])(?:sh|bash|dash|zsh)(?:: (?:line )?\d+)?: (?:exec: )?(\S+): (?:command )?not found$/m

const dependencySignals = [
  commandNotFound,
  /Cannot find (?:module|package) '((?:@[^/'.]+\/)?[^./'][^']*)'/,
  /No module named '?([\w.]+)'?/,
  /no required module provides package ([^\s;]+)/,
  /(module lookup disabled by GOPROXY=off|missing go\.sum entry)/,
  /(no matching package named `.+?` found|but --offline was specified)/,
  /(doesn't seem to have been installed|node_modules missing)/,
]
const toolchainSignals = [
  /(rustup could not choose a version of \w+)/,
  /(toolchain '\S+' is not installed)/,
  /(requires go >= \S+ \(running go \S+)/,
  /(pyenv: \S+: command not found)/,
  /(JAVA_HOME environment variable is not defined correctly)/,
]
const noTestsSignals = [
  /^.*No test files found.*$/m,
  /^.*No tests found, exiting with code 1.*$/m,
  /^.*Couldn.t find any files to test.*$/m,
  /^.*no tests (?:ran|collected).*$/m,
]

const firstSignal = (text: string, signals: RegExp[]): string | undefined => {
  for (const signal of signals) {
    const match = signal.exec(text)
    if (match) return (match[1] ?? match[0]).trim()
  }
  return undefined
}

/** What one run means: the first rule that answers decides. */
export const conclude = (facts: Facts): Conclusion => {
  for (const rule of rules) {
    const conclusion = rule(facts)
    if (conclusion) return conclusion
  }
  return failedByExit(facts)
}

type Rule = (facts: Facts) => Conclusion | undefined

const succeeded = ({ ending }: Facts) => ending.kind === 'exit' && ending.code === 0
const countOf = ({ passed, failed, skipped }: Report) => passed + failed + skipped

const notStarted: Rule = ({ ending, command }) =>
  ending.kind === 'not-started'
    ? { status: 'toolchain-missing', reason: `${command[0]} cannot be started on this host`, report: nothing }
    : undefined

const timedOut: Rule = ({ ending, report, timeoutSeconds }) =>
  ending.kind === 'timeout'
    ? { status: 'timeout', reason: `the tests took more than ${timeoutSeconds} s`, report: report ?? nothing }
    : undefined

const outOfMemory: Rule = ({ ending, report, memoryMb }) =>
  ending.kind === 'memory'
    ? { status: 'error', reason: `the tests took more than ${memoryMb} MB of memory`, report: report ?? nothing }
    : undefined

const withoutDependencies: Rule = (facts) => {
  if (!facts.uninstalled || succeeded(facts) || (facts.report?.passed ?? 0) > 0) return undefined
  const signal = firstSignal(facts.text, dependencySignals)
  return signal === undefined
    ? undefined
    : { status: 'error', reason: dependenciesMissing(`not found: ${signal}`), report: facts.report ?? nothing }
}

const withoutToolchain: Rule = (facts) => {
  if (succeeded(facts) || facts.report !== undefined) return undefined
  const program = commandNotFound.exec(facts.text)?.[1]
  const signal = program ? `${program} is not installed on this host` : firstSignal(facts.text, toolchainSignals)
  return signal === undefined ? undefined : { status: 'toolchain-missing', reason: signal, report: nothing }
}

const withoutTests: Rule = (facts) => {
  if (facts.report && countOf(facts.report) > 0) return undefined
  const signal = firstSignal(facts.text, noTestsSignals)
  if (signal !== undefined) return { status: 'no-tests', reason: signal, report: nothing }
  if (facts.report === undefined || !succeeded(facts)) return undefined
  return { status: 'no-tests', reason: 'the command ran no tests', report: nothing }
}

const counted: Rule = ({ report, ...facts }) => {
  if (report === undefined) return undefined
  if (report.failed > 0) return { status: 'failed', report }
  return succeeded({ ...facts, report }) ? { status: 'passed', report } : undefined
}

const uncounted: Rule = (facts) =>
  succeeded(facts)
    ? { status: 'passed', reason: 'the output is of no known format, so tests were not counted', report: nothing }
    : undefined

const rules: Rule[] = [
  ...[notStarted, timedOut, outOfMemory],
  ...[withoutDependencies, withoutToolchain, withoutTests],
  ...[counted, uncounted],
]

const howItEnded = (ending: Ending): string => {
  if (ending.kind !== 'exit') return 'the command ended'
  return ending.killedBy ? `ended by ${ending.killedBy}` : `exit code ${ending.code}`
}

/** The command says that something failed and no test does: its last words are the failure. */
const failedByExit = ({ command, ending, tail, report = nothing }: Facts): Conclusion => ({
  status: 'failed',
  reason: `${howItEnded(ending)}, and no failed test was recognised`,
  report: { ...report, failed: 1, failures: [{ name: command.join(' '), message: tail.slice(-limits.message) }] },
})
