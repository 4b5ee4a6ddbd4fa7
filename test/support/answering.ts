import type { RunDescription, Workflows } from '#shared/platform/platform.ts'
import type { RandomMachine, StepAnswer } from './random-machines.ts'
import type { Commands, StepCommand } from './runs.ts'

type PlannedCommand = StepCommand & { plan: StepAnswer[]; item?: number; failsAt?: number }

/** How a run went: how often each step was asked is by the step, and the item that it is about. */
export type Outcome = Pick<RunDescription, 'status' | 'output' | 'error'> & { attempts: Record<string, number> }

const keyOf = ({ step, item }: PlannedCommand): string => (item === undefined ? step : `${step}[${item}]`)

/** Answers commands by the plan that they carry, and counts them. */
const createAnswering = (workflows: Workflows) => {
  const counts = new Map<string, Map<string, number>>()
  const seen = new Set<string>()

  const answer = async (command: PlannedCommand, attempt: number): Promise<void> => {
    const { token, plan, item, failsAt } = command
    if (token === undefined) return
    const isSpared = item !== undefined && item !== failsAt
    const planned = isSpared ? 'ok' : (plan[Math.min(attempt, plan.length - 1)] ?? 'ok')
    if (planned === 'ok') await workflows.succeed(token, { done: command.step })
    else await workflows.fail(token, { error: planned, cause: 'because' })
  }
  return {
    attemptsOf: (run: string): Record<string, number> => Object.fromEntries([...(counts.get(run) ?? [])].toSorted()),
    async take(command: PlannedCommand, delivery: string): Promise<void> {
      if (seen.has(delivery)) return
      seen.add(delivery)
      const own = counts.get(command.run) ?? new Map<string, number>()
      counts.set(command.run, own)
      const attempt = own.get(keyOf(command)) ?? 0
      own.set(keyOf(command), attempt + 1)
      await answer(command, attempt)
    },
  }
}

type Host = { workflows: Workflows; commands: Commands }

const lastCommandsMs = 1000

const runOf = (at: number) => ({ tenant: 'acme', workflow: `random-${at}`, run: `run-${at}` })
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * Runs machines on a host, so many at once, each to its end, with a pause between looks, which are work for the host;
 * `undefined` for one that does not come to an end.
 */
export const outcomesOn = async (
  { workflows, commands }: Host,
  machines: RandomMachine[],
  { atOnce, patienceMs, pauseMs = 40 }: { atOnce: number; patienceMs: number; pauseMs?: number },
): Promise<(Outcome | undefined)[]> => {
  const answering = createAnswering(workflows)
  const stopping = new AbortController()
  const loop = (async () => {
    for (let taken = 0; !stopping.signal.aborted; await pause(pauseMs)) {
      const all = await commands()
      const fresh = all.slice(taken)
      taken = all.length
      await Promise.all(
        fresh.map((command, at) => answering.take(command as PlannedCommand, `${taken - fresh.length + at}`)),
      )
    }
  })()
  const ended: (RunDescription | undefined)[] = []
  const runOne = async (at: number): Promise<void> => {
    const run = runOf(at)
    await workflows.deploy({ ...run, version: '1', asl: machines[at]?.asl })
    await workflows.start({ ...run, version: '1', input: { n: at } })
    for (const end = Date.now() + patienceMs; Date.now() < end; await pause(pauseMs)) {
      const found = await workflows.describe(run)
      if (found === undefined || found.status === 'RUNNING') continue
      ended[at] = found
      return
    }
  }
  const left = machines.map((_, at) => at)
  const worker = async (): Promise<void> => {
    for (let at = left.shift(); at !== undefined; at = left.shift()) await runOne(at)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  await new Promise((resolve) => setTimeout(resolve, lastCommandsMs)) // a run may be over before its last command is seen
  stopping.abort()
  await loop
  return machines.map((_, at) => {
    const { status, output, error } = ended[at] ?? {}
    return status && { status, output, error, attempts: answering.attemptsOf(runOf(at).run) }
  })
}
