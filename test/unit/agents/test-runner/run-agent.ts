import { execFileSync } from 'node:child_process'
import agent from '#agent/agents/test-runner/agent.ts'
import { type TestsResult, testsInput, testsResult } from '#agent/agents/test-runner/contract.ts'
import type { Handler } from '#agent/sdk/index.ts'
import { anAgentContext, type TestContext } from '#test/support/agent-context.ts'
import { aRepository, type Files } from '#test/support/git-repository.ts'

const handler = agent.capabilities['tests.run']?.handler as Handler

export type Ran = { result: TestsResult; ctx: TestContext; logs: string }

type Options = { input?: object; task?: Partial<TestContext['task']>; onStart?: (ctx: TestContext) => void }

/** Runs the agent as a slot would, on a repository of these files, and removes everything afterwards. */
export const runAgent = async (files: Files, { input = {}, task, onStart }: Options = {}): Promise<Ran> => {
  const repository = aRepository(files)
  const ctx = anAgentContext(task)
  try {
    const bundle = ctx.upload(repository.bundle())
    onStart?.(ctx)
    const result = testsResult.parse(await handler(ctx, testsInput.parse({ repository: { bundle }, ...input })))
    return { result, ctx, logs: logsOf(ctx) }
  } finally {
    ctx.remove()
    repository.remove()
  }
}

const logsOf = ({ told }: TestContext) =>
  told.output.map((chunk) => (chunk as { type: string; text: string }).text).join('\n')

/** What a program of this host prints. */
export const hostSays = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { encoding: 'utf8', stdio: 'pipe', timeout: 20_000 }).trim()

/** Whether this host can do what a test needs; where it cannot, the test is shown as skipped. */
export const hostHas = (program: string, ...args: string[]): boolean => {
  try {
    hostSays(program, ...args)
    return true
  } catch {
    return false
  }
}
