import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import type { RunDescription, RunEvent, RunRef, Workflows } from '#shared/platform/platform.ts'
import { eventually } from './eventually.ts'
import type { MachineAsl } from './machines.ts'

export type StepCommand = { token: string; run: string; step: string; [more: string]: unknown }
/** What has come to the steps' consumer so far. */
export type Commands = () => StepCommand[] | Promise<StepCommand[]>

const aName = (what: string): string => `${what}-${randomBytes(5).toString('hex')}`

/** Runs of machines that a test makes, and the answers that it gives their steps. */
export const createRuns = (workflows: Workflows, commands: Commands, patienceMs = 30_000) => {
  const taken = new Set<string>()

  const begin = async (asl: MachineAsl, input: unknown = {}, ref: Partial<RunRef> = {}): Promise<RunRef> => {
    const run = { tenant: 'acme', workflow: aName('flow'), run: aName('run'), ...ref }
    await workflows.deploy({ tenant: run.tenant, workflow: run.workflow, version: '1', asl })
    await workflows.start({ ...run, version: '1', input })
    return run
  }
  /** The next command of a run that was not taken yet, of a step if it is named. */
  const next = ({ run }: RunRef, step?: string): Promise<StepCommand> =>
    eventually(async () => {
      const all = await commands()
      const found = all.find((one) => one.run === run && (step ?? one.step) === one.step && !taken.has(idOf(one)))
      if (found === undefined) throw new Error(`run ${run} has sent no command${step ? ` of ${step}` : ''}`)
      taken.add(idOf(found))
      return found
    }, patienceMs)
  const end = (run: RunRef): Promise<RunDescription> =>
    eventually(async () => {
      const found = await workflows.describe(run)
      expect(found?.status).not.toBe('RUNNING')
      return found as RunDescription
    }, patienceMs)
  const succeed = async (run: RunRef, output: unknown, step?: string): Promise<StepCommand> => {
    const command = await next(run, step)
    expect(await workflows.succeed(command.token, output)).toEqual({ ok: true })
    return command
  }
  const fail = async (run: RunRef, error: string, cause = 'because', step?: string): Promise<StepCommand> => {
    const command = await next(run, step)
    expect(await workflows.fail(command.token, { error, cause })).toEqual({ ok: true })
    return command
  }
  const history = async (run: RunRef): Promise<RunEvent[]> => {
    const events: RunEvent[] = []
    let cursor: string | undefined
    do {
      const page = await workflows.history(run, { limit: 3, cursor })
      events.push(...page.events)
      cursor = page.cursor
    } while (cursor !== undefined)
    return events
  }
  return {
    begin,
    next,
    end,
    succeed,
    fail,
    history,
    /** The outcome of a machine whose steps need no answer. */
    outcome: async (asl: MachineAsl, input?: unknown): Promise<RunDescription> => end(await begin(asl, input)),
  }
}

export type Runs = ReturnType<typeof createRuns>

/** Deliveries of the same command are one. */
const idOf = (command: StepCommand): string => JSON.stringify(command)
