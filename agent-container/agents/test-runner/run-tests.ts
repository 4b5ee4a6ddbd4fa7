import path from 'node:path'
import type { AgentContext } from '#agent/sdk/index.ts'
import { checkOut } from '../repository/check-out.ts'
import { type Budget, createBudget } from './budget.ts'
import { type Conclusion, conclude, type Execution } from './conclude.ts'
import type { TestsInput, TestsResult } from './contract.ts'
import { execute } from './execute.ts'
import { findPlan } from './find/find-plan.ts'
import type { Plan, Project } from './find/plan.ts'
import { prepareSurroundings } from './process/environment.ts'
import { findProgram } from './process/find-program.ts'
import { testsResultOf, withoutFolders } from './tests-result.ts'

type Run = { conclusion: Conclusion; execution?: Execution }

const noReport = { passed: 0, failed: 0, skipped: 0, failures: [] }
const nothingFound: Run = {
  conclusion: {
    status: 'no-tests',
    reason:
      'no test command was found: looked for scripts.test in package.json, pytest or test*.py, go.mod, Cargo.toml, pom.xml, build.gradle',
    report: noReport,
  },
}

/** Checks out, finds, installs if asked, runs, and says what it means. What cannot be run is a result as well. */
export const runTests = async (ctx: AgentContext, input: TestsInput): Promise<TestsResult> => {
  const { repository, install } = input
  const budget = createBudget(ctx, input)
  ctx.progress(0, 'checking out')
  const { folder, head } = await ctx.span('check out', () => checkOut(ctx, { repository, symlinks: true }))
  const surroundings = await prepareSurroundings({ folder: path.join(ctx.workspace, 'test-run'), install })
  const project: Project = { folder, install, surroundings }
  const { plan, others } = await findPlan(project, input.command)
  if (others.length > 0) ctx.log('info', `also found and not run: ${others.join(', ')}`)
  const run = plan ? await runPlan(ctx, plan, project, budget) : nothingFound
  ctx.progress(100, run.conclusion.status)
  const { scratch } = surroundings
  return testsResultOf({ ...run, command: plan?.command ?? null, commit: head, folder, scratch })
}

const runPlan = async (ctx: AgentContext, plan: Plan, project: Project, budget: Budget): Promise<Run> => {
  const refused = (await missingProgram(plan, project)) ?? (plan.blocked && { ...plan.blocked, report: noReport })
  if (refused) return { conclusion: refused }
  const failed = project.install && (await ctx.span('install', () => install(ctx, plan, project, budget)))
  if (failed) return failed
  ctx.progress(30, `running ${shown(plan.command, project)}`)
  const execution = await ctx.span('test', () => execute(ctx, plan, whereOf(project, budget)))
  const uninstalled = !project.install && plan.install.length > 0
  const memoryMb = Math.round(budget.memoryBytes / 1024 ** 2)
  return { conclusion: conclude({ ...execution, uninstalled, timeoutSeconds: budget.seconds, memoryMb }), execution }
}

const shown = (command: string[], { folder, surroundings }: Project) =>
  withoutFolders(folder, surroundings.scratch)(command.join(' '))

const whereOf = ({ folder, surroundings }: Project, budget: Budget) => ({
  folder,
  env: surroundings.env,
  timeoutMs: budget.leftMs(),
  memoryBytes: budget.memoryBytes,
})

const missingProgram = async (plan: Plan, { install, surroundings }: Project): Promise<Conclusion | undefined> => {
  const commands = [...(install ? plan.install : []), plan.command]
  const programs = [...commands.map(([program = '']) => program), ...(plan.needs ?? [])]
  for (const program of programs.filter((one) => !one.includes('/'))) {
    if (await findProgram(program, surroundings.searchPath)) continue
    return { status: 'toolchain-missing', reason: `${program} is not installed on this host`, report: noReport }
  }
  return undefined
}

const install = async (ctx: AgentContext, plan: Plan, project: Project, budget: Budget): Promise<Run | undefined> => {
  for (const command of plan.install) {
    ctx.progress(10, `running ${shown(command, project)}`)
    const execution = await execute(ctx, { command }, whereOf(project, budget))
    if (execution.ending.kind === 'exit' && execution.ending.code === 0) continue
    return { conclusion: notInstalled(execution), execution: { ...execution, durationMs: 0 } }
  }
  return undefined
}

const notInstalled = ({ command, ending }: Execution): Conclusion => ({
  status: ending.kind === 'timeout' ? 'timeout' : 'error',
  reason: `the installation did not succeed: ${command.join(' ')} (${endingText(ending)})`,
  report: noReport,
})

const endingText = (ending: Execution['ending']) => (ending.kind === 'exit' ? `exit code ${ending.code}` : ending.kind)
