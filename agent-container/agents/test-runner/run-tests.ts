import path from 'node:path'
import type { AgentContext } from '#agent/sdk/index.ts'
import { checkOut } from '../repository/check-out.ts'
import { type Conclusion, conclude, type Execution } from './conclude.ts'
import { limits, type TestsInput, type TestsResult } from './contract.ts'
import { execute, type Where } from './execute.ts'
import { findPlan } from './find/find-plan.ts'
import type { Plan, Project } from './find/plan.ts'
import { prepareSurroundings } from './process/environment.ts'
import { findProgram } from './process/find-program.ts'
import { locateSources } from './source-places.ts'

const lookedFor =
  'no test command was found: looked for scripts.test in package.json, pytest or test*.py, go.mod, Cargo.toml, pom.xml, build.gradle'
const noReport = { passed: 0, failed: 0, skipped: 0, failures: [] }
/** Left of a task's own time to tell the result. */
const marginMs = 5000

/** Checks out, finds, installs if asked, runs, and says what it means. What cannot be run is a result as well. */
export const runTests = async (ctx: AgentContext, input: TestsInput): Promise<TestsResult> => {
  const budget = createBudget(ctx, input)
  ctx.progress(0, 'checking out')
  const { folder, head } = await ctx.span('check out', () => checkOut(ctx, { repository: input.repository, symlinks: true }))
  const surroundings = await prepareSurroundings({
    folder: path.join(ctx.workspace, 'test-run'),
    install: input.install,
  })
  const project: Project = { folder, install: input.install, surroundings }
  const { plan, others } = await findPlan(project, input.command)
  if (others.length > 0) ctx.log('info', `also found and not run: ${others.join(', ')}`)
  const run = plan
    ? await runPlan(ctx, plan, project, budget)
    : { conclusion: { status: 'no-tests' as const, reason: lookedFor, report: noReport } }
  const failures = await locateSources(run.conclusion.report.failures.slice(0, limits.failures), folder)
  ctx.progress(100, run.conclusion.status)
  return resultOf({ ...run, failures, commit: head, command: plan?.command ?? null })
}

type Budget = { seconds: number; leftMs: () => number }

const createBudget = (
  { task }: AgentContext,
  { timeoutSeconds = limits.defaultTimeoutSeconds }: TestsInput,
): Budget => {
  const start = Date.now()
  const bounds = [
    timeoutSeconds * 1000,
    ...(task.timeoutSeconds === undefined ? [] : [task.timeoutSeconds * 1000 - marginMs]),
    ...(task.deadline === undefined ? [] : [Date.parse(task.deadline) - start - marginMs]),
  ]
  const total = Math.max(1000, Math.min(...bounds))
  return { seconds: total / 1000, leftMs: () => Math.max(1, start + total - Date.now()) }
}

type Run = { conclusion: Conclusion; execution?: Execution }

const runPlan = async (ctx: AgentContext, plan: Plan, project: Project, budget: Budget): Promise<Run> => {
  const refused = (await missingProgram(plan, project)) ?? (plan.blocked && { ...plan.blocked, report: noReport })
  if (refused) return { conclusion: refused }
  const where = (): Where => ({
    folder: project.folder,
    env: project.surroundings.env,
    timeoutMs: budget.leftMs(),
    memoryBytes: memoryLimit(),
  })
  if (project.install) {
    const failed = await ctx.span('install', () => install(ctx, plan, where))
    if (failed) return failed
  }
  ctx.progress(30, `running ${plan.command.join(' ')}`)
  const execution = await ctx.span('test', () => execute(ctx, plan, where()))
  const uninstalled = !project.install && plan.install.length > 0
  const conclusion = conclude({ ...execution, uninstalled, ...boundsOf(budget) })
  return { conclusion, execution }
}

const boundsOf = ({ seconds }: Budget) => ({
  timeoutSeconds: seconds,
  memoryMb: Math.round(memoryLimit() / 1024 ** 2),
})

/** Three quarters of what this process may have where that is less than the usual limit. */
const memoryLimit = () => {
  const usual = limits.memoryMb * 1024 ** 2
  const constrained = process.constrainedMemory()
  return constrained > 0 ? Math.min(usual, constrained * 0.75) : usual
}

const missingProgram = async (plan: Plan, { install, surroundings }: Project): Promise<Conclusion | undefined> => {
  const commands = [...(install ? plan.install : []), plan.command]
  const programs = [...commands.map(([program = '']) => program), ...(plan.needs ?? [])]
  for (const program of programs.filter((one) => !one.includes('/'))) {
    if (await findProgram(program, surroundings.searchPath)) continue
    return { status: 'toolchain-missing', reason: `${program} is not installed on this host`, report: noReport }
  }
  return undefined
}

const install = async (ctx: AgentContext, plan: Plan, where: () => Where): Promise<Run | undefined> => {
  for (const command of plan.install) {
    ctx.progress(10, `running ${command.join(' ')}`)
    const execution = await execute(ctx, { command }, where())
    if (execution.ending.kind === 'exit' && execution.ending.code === 0) continue
    const status = execution.ending.kind === 'timeout' ? 'timeout' : 'error'
    const reason = `the installation did not succeed: ${command.join(' ')} (${endingOf(execution)})`
    return { conclusion: { status, reason, report: noReport }, execution: { ...execution, durationMs: 0 } }
  }
  return undefined
}

const endingOf = ({ ending }: Execution) => (ending.kind === 'exit' ? `exit code ${ending.code}` : ending.kind)

type Parts = Run & { failures: Conclusion['report']['failures']; commit: string; command: string[] | null }

const resultOf = ({ conclusion, execution, failures, commit, command }: Parts): TestsResult => ({
  status: conclusion.status,
  ...(conclusion.reason !== undefined && { reason: conclusion.reason }),
  passed: conclusion.report.passed,
  failed: conclusion.report.failed,
  skipped: conclusion.report.skipped,
  failures: failures.map((failure) => ({ ...failure, message: shorten(failure.message, limits.message) })),
  durationMs: execution?.durationMs ?? 0,
  command,
  commit,
  output: execution?.tail ?? '',
})

const shorten = (text: string, length: number) => (text.length > length ? `${text.slice(0, length - 1)}…` : text)
